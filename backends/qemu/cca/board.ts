import type { BootStage } from '../../../petri/kit/boot/index.ts';
import { bootSigns, hostAgentStage, HOST_CONSOLE } from '../../../petri/kit/cca/host/index.ts';
import type { InstalledStack } from '../stack/installed.ts';
import { stageBudgets } from './budgets.ts';

/** Files from which a machine boots, except its own root file system. */
export type BootFiles = Pick<InstalledStack['files'], 'flash' | 'hostKernel'>;

/** The processor and firmware of a machine, and the markers of its boot. */
export interface Board {
  /** Options of QEMU. The root file system is the first virtio disk. */
  arguments(files: BootFiles): readonly string[];
  stages(nonce: string): readonly BootStage[];
}

const HOST_COMMAND_LINE = 'nokaslr root=/dev/vda rw console=ttyAMA0';

/** All on one console: QEMU has no UART for each world. EDK2 gets the kernel from QEMU. */
const signs = ['tf-a', 'rmm', 'host kernel'] as const;

/**
 * A machine with FEAT_RME, which starts TF-A and the RMM from flash. With LPA2 a realm would get a 52-bit IPA space, in
 * which Linux resets before user space; KASLR occasionally triggers a bug of QEMU (QEMU issue 2823).
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
