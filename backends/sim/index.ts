import type { Backend, ProbeResult } from '../../petri/contract/index.ts';
import { lazy } from '../../petri/lazy.ts';
import { guestKinds, refusal, widestLimits } from './guests/index.ts';

/** Loaded when the first VM is made: capability queries do not need it. */
const simulator = lazy(() => import('./vm/index.ts'));

/** The simulator of realms and plain VMs. It runs in this process, on any host. */
export const backend: Backend = {
  name: 'sim',
  description: 'a simulated machine in this process: a CCA realm with its RMM, or a plain VM',
  probe: async (): Promise<ProbeResult> => ({
    available: true,
    isolation: Object.fromEntries(guestKinds.map(({ isolation, features }) => [isolation, features])),
    limits: widestLimits(guestKinds),
    facts: { rmi: '1.1', rsi: '1.1', engine: 'AArch64 to WebAssembly' },
  }),
  prepare: async () => {
    const { warmUp } = await simulator();
    await warmUp();
  },
  refuses: (spec) => refusal(spec),
  launch: async (spec, context) => {
    const { launch } = await simulator();
    return await launch(spec, context);
  },
};
