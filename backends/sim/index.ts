import type { Backend, ProbeResult } from '../../petri/backend.ts';
import { limits } from './guests/limits.ts';

let loading: Promise<typeof import('./vm/index.ts')> | undefined;

/** Loaded only where VMs are made: asking what the backend can do needs nothing of it. */
function simulator(): Promise<typeof import('./vm/index.ts')> {
  loading ??= import('./vm/index.ts');
  return loading;
}

/** The simulated realm, and the plain VM beside it: everything runs in this process, on any host. */
export const backend: Backend = {
  name: 'sim',
  description: 'a simulated machine in this process: a CCA realm with its RMM, or a plain VM',
  probe: async (): Promise<ProbeResult> => ({
    available: true,
    isolation: {
      cca: [
        'serial.fast',
        'tmk',
        'tmk.events',
        'tmk.rejections',
        'reset',
        'planes',
        'inspect.exits',
        'inspect.registers',
        'realm.config',
        'realm.measurements',
        'realm.ripas',
        'sp.alignment',
        'memory.holes',
        'instruction-budget',
      ],
      none: [
        'serial.fast',
        'tmk',
        'tmk.events',
        'tmk.rejections',
        'reset',
        'inspect.registers',
        'sp.alignment',
        'memory.holes',
        'instruction-budget',
      ],
    },
    limits,
    facts: { rmi: '1.1', rsi: '1.1', engine: 'AArch64 to WebAssembly' },
  }),
  prepare: async () => {
    const { warmUp } = await simulator();
    warmUp();
  },
  launch: async (spec, context) => {
    const { launch } = await simulator();
    return await launch(spec, context);
  },
};
