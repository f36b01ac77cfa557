import type { Backend } from '../../petri/contract/index.ts';
import { kvmtoolRefuses } from '../../petri/kit/cca/index.ts';
import { identity } from './identity.ts';
import { probe } from './probe.ts';

/** Loaded only where VMs are made. */
async function load() {
  const [{ launch }, { sessionPool }] = await Promise.all([
    import('./launch.ts'),
    import('../../petri/kit/cca/host/index.ts'),
  ]);
  return { launch, sessionPool };
}

let loaded: ReturnType<typeof load> | undefined;

/**
 * Realms on Arm's Fixed Virtual Platform: a model that boots TF-A, RMM and Linux, started through shrinkwrap or by
 * itself.
 */
export const backend: Backend = {
  name: identity.name,
  description: "Arm's Fixed Virtual Platform: a modelled machine with the reference RMM",
  probe,
  refuses: kvmtoolRefuses,
  launch: async (spec, context) => {
    loaded ??= load();
    return (await loaded).launch(spec, context);
  },
  close: async () => {
    // What was never loaded has nothing to end.
    if (loaded !== undefined) await (await loaded).sessionPool(identity).close();
  },
};
