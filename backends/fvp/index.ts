import type { Backend } from '../../petri/contract/index.ts';
import { kvmtoolRefuses } from '../../petri/kit/cca/index.ts';
import { identity } from './identity.ts';
import { probe } from './probe.ts';

/** Loaded when the first VM is made. */
async function load() {
  const [{ launch }, { sessionPool }] = await Promise.all([
    import('./launch.ts'),
    import('../../petri/kit/cca/host/index.ts'),
  ]);
  return { launch, sessionPool };
}

let loaded: ReturnType<typeof load> | undefined;

/**
 * Realms on Arm's Fixed Virtual Platform: a model that boots TF-A, RMM and Linux, started with or without shrinkwrap.
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
    // If nothing was loaded, nothing has to be ended.
    if (loaded !== undefined) await (await loaded).sessionPool(identity).close();
  },
};
