import type { BootStage } from '../../../petri/kit/boot/index.ts';
import { bootSigns, hostAgentStage, HOST_CONSOLE } from '../../../petri/kit/cca/host/index.ts';
import type { InstalledStack } from '../stack/installed.ts';
import { stageBudgets } from './budgets.ts';

/** Files that a machine boots from, its own root file system excepted. */
export type BootFiles = Pick<InstalledStack['files'], 'flash' | 'hostKernel'>;

/** The processor and the firmware of a machine, and how its boot is known to go on. */
export interface Board {
  /** Options of QEMU. The root file system is the first virtio disk. */
  arguments(files: BootFiles): readonly string[];
  stages(nonce: string): readonly BootStage[];
}

const HOST_COMMAND_LINE = 'nokaslr root=/dev/vda rw console=ttyAMA0';

/** All on one console: QEMU has no UART for each world. EDK2 takes the kernel from QEMU. */
const signs = ['tf-a', 'rmm', 'host kernel'] as const;

/**
 * A machine with FEAT_RME, from whose flash TF-A and the RMM start. With LPA2 a realm would get a 52-bit IPA space, in
 * which Linux resets before user space; KASLR runs into a bug of QEMU now and then (QEMU issue 2823).
 */
export const rmeBoard: Board = {
  arguments: ({ flash, hostKernel }) => [
    ...['-machine', 'virt,secure=on,virtualization=on,gic-version=3,acpi=off'],
    ...['-cpu', 'max,x-rme=on,lpa2=off,sme=off,pauth-impdef=on'],
    ...['-bios', flash, '-kernel', hostKernel, '-append', HOST_COMMAND_LINE],
  ],
  stages: (nonce) => [
    ...signs.map((name) => ({
      name,
      console: HOST_CONSOLE,
      marker: bootSigns[name],
      deadline: stageBudgets[name],
    })),
    hostAgentStage(nonce, stageBudgets['host agent']),
  ],
};
