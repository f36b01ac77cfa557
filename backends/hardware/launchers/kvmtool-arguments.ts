import { realmRequest } from '../../../petri/kit/cca/index.ts';
import type { VmConfig } from '../../../petri/contract/index.ts';

/**
 * The arguments with which OpenVMM's flow for TMKs in realms starts kvmtool, with the folder of this launch instead of
 * /cca, and the parameters that `host-agent.sh` passes to Linux in plane 0.
 */
export function kvmtoolArguments(kernel: string, config: VmConfig, folder: string): string[] {
  const { memory, algorithm, rpv } = realmRequest(config);
  return [
    ...[
      'run',
      '--realm',
      '--disable-sve',
      '--irqchip=gicv3-its',
      '-c',
      '1',
      '-m',
      String(memory),
      '--no-pvtime',
      '--force-pci',
    ],
    ...['--console', 'virtio', '--kernel', kernel, '--9p', `${folder}/share/,cca_mount`],
    ...[
      '-p',
      `${earlyConsole(config)} console=hvc0 root=/dev/vda2 swiotlb=2048 rodata=full`,
      `--measurement-algo=${algorithm}`,
      '--restricted_mem',
    ],
    ...(rpv.length === 0 ? [] : [`--realm-pv=${Buffer.from(rpv).toString('utf8')}`]),
  ];
}

/** kvmtool's UART (ARM_UART_MMIO_BASE), in the unprotected half of the realm's IPA space (Linux, arm-cca.rst). */
function earlyConsole({ ipaWidth }: VmConfig): string {
  return `earlycon=uart,mmio,0x${(2 ** (ipaWidth - 1) + 0x100_0000).toString(16)}`;
}
