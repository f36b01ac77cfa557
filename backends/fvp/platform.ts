import type { HostPlatform } from '../../petri/kit/cca/host/index.ts';
import { stageBudgets } from './budgets.ts';
import { modelSlots, SLOT_POOL } from './capacity.ts';
import { identity } from './identity.ts';
import { Model } from './model.ts';
import { planModelStart } from './model-start.ts';
import { crashSignatures, modelStages, uartConsoles } from './stages.ts';
import type { InstalledStack } from './stack/installed.ts';

/** Models that boot an installed stack. @throws PetriError `invalid-option` */
export function fvpPlatform(stack: InstalledStack): HostPlatform {
  const { lockDigest, shrinkwrap, revisions, files } = stack;
  return {
    ...identity,
    key: JSON.stringify(stack),
    files,
    slots: { pool: SLOT_POOL, capacity: modelSlots() },
    budgets: stageBudgets,
    consoles: uartConsoles,
    crashes: crashSignatures,
    facts: {
      'stack.lock': lockDigest,
      'stack.shrinkwrap': `${shrinkwrap.version}, runtime ${shrinkwrap.runtime}`,
      ...Object.fromEntries(Object.entries(revisions).map(([name, revision]) => [`stack.${name}`, revision])),
    },
    stages: modelStages,
    start: async ({ rootfs, folder, logs, supervisor, signal, log }) => {
      const start = await planModelStart({ stack, rootfs, folder, supervisor, signal });
      log(`the model is started ${start.how}: ${[start.command, ...start.args].join(' ')}`);
      return await Model.launch({ start, supervisor, logs, rootfs, log });
    },
  };
}
