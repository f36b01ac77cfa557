import { crashesOn, tfaCrashes } from '../../../petri/kit/boot/index.ts';
import { hostCrashes, type HostPlatform, type RunBudgets } from '../../../petri/kit/cca/host/index.ts';
import type { InstalledStack } from '../stack/installed.ts';
import { rmeBoard, type Board } from './board.ts';
import { stageBudgets } from './budgets.ts';
import { EmulatedHost, SECURE_CONSOLE, uartConsoles } from './emulated-host.ts';
import { identity, realmMachines } from './identity.ts';

export interface RealmPlatformOptions {
  readonly stack: InstalledStack;
  /** The QEMU to run. */
  readonly command: string;
  /** @default rmeBoard, the only one that can launch realms */
  readonly board?: Board;
  readonly runBudgets?: RunBudgets;
}

/** Machines that launch realms, as an installed stack and a QEMU make them. @throws PetriError `invalid-option` */
export function realmPlatform({
  stack,
  command,
  board = rmeBoard,
  runBudgets = {},
}: RealmPlatformOptions): HostPlatform {
  const { files, lockDigest, revisions } = stack;
  return {
    ...identity,
    key: JSON.stringify([stack, command]),
    files,
    slots: { pool: 'qemu-cca', capacity: realmMachines() },
    budgets: stageBudgets,
    runBudgets,
    consoles: uartConsoles,
    crashes: [...hostCrashes, ...crashesOn(SECURE_CONSOLE, tfaCrashes)],
    facts: {
      qemu: command,
      accelerator: 'tcg',
      // QEMU has no FEAT_S2POE, so the RMM has an RTT tree for each plane.
      'planes.rtt': 'per plane',
      'stack.lock': lockDigest,
      ...Object.fromEntries(Object.entries(revisions).map(([name, revision]) => [`stack.${name}`, revision])),
    },
    stages: (nonce) => board.stages(nonce),
    start: async (start) => await EmulatedHost.start({ ...start, command, board, files }),
  };
}
