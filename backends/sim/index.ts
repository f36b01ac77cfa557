import type { Backend, ProbeResult } from '../../petri/contract/index.ts';
import { lazy } from '../../petri/lazy.ts';
import { featuresByIsolation, guestKinds, refusal, widestLimits } from './guests/index.ts';

/** Loaded when the first VM is made: capability queries do not need it. */
const simulator = lazy(() => import('./vm/index.ts'));

/** The simulator of realms, plain VMs, and machines for operating systems. It runs in this process, on any host. */
export const backend: Backend = {
  name: 'sim',
  description: 'a simulated machine in this process: a CCA realm with its RMM, or a plain VM for a TMK or Linux',
  probe: async (): Promise<ProbeResult> => ({
    available: true,
    isolation: featuresByIsolation(guestKinds),
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
