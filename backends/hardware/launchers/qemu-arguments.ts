import { realmRequest } from '../../../petri/kit/cca/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { TmkPayload, VmSpec } from '../../../petri/contract/index.ts';
import type { QemuGuestConfig } from '../hosts/schema.ts';

/** Escapes a value: QEMU's options use commas as separators, and a doubled comma for a literal one. */
const part = (text: string): string => text.replaceAll(',', ',,');

/**
 * A confidential guest with Linux: its console is standard input and output, and it shares `share` in the launch's
 * folder by 9p.
 *
 * @throws PetriError `unsupported`
 */
export function confidentialQemuArguments(config: QemuGuestConfig, spec: VmSpec<TmkPayload>, folder: string): string[] {
  const memory = `${String(spec.config.memory / 2 ** 20)}M`;
  const isolation = isolationArguments(spec, memory);
  return [
    config.command ?? (spec.isolation === 'cca' ? 'qemu-system-aarch64' : 'qemu-system-x86_64'),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-enable-kvm'],
    ...['-cpu', config.cpu ?? 'host', '-smp', String(spec.config.vcpus), '-m', memory],
    ...isolation,
    ...(config.firmware === undefined ? [] : ['-bios', config.firmware]),
    ...['-kernel', config.kernel, '-initrd', config.initrd, '-append', config.cmdline ?? 'console=hvc0 panic=-1'],
    ...['-chardev', 'stdio,id=console,signal=off'],
    ...['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=console'],
    ...['-fsdev', `local,id=share,path=${part(folder)}/share,security_model=none,readonly=on`],
    ...['-device', 'virtio-9p-pci,fsdev=share,mount_tag=cca_mount'],
  ];
}

function isolationArguments({ isolation, config }: VmSpec, memory: string): string[] {
  switch (isolation) {
    case 'cca': {
      const { algorithm, rpv } = realmRequest(config);
      // This option takes the value in base64.
      const personalization =
        rpv.length === 0 ? '' : `,personalization-value=${part(Buffer.from(config.rpv).toString('base64'))}`;
      return [
        ...['-machine', 'virt,gic-version=3,confidential-guest-support=guest0'],
        ...['-object', `rme-guest,id=guest0,measurement-algorithm=${algorithm}${personalization}`],
      ];
    }
    case 'snp':
      return [
        ...['-machine', 'q35,confidential-guest-support=guest0,memory-backend=ram0'],
        // QEMU 10 gets the position of the C-bit from the host; on all EPYC so far it is here.
        ...['-object', 'sev-snp-guest,id=guest0,cbitpos=51,reduced-phys-bits=1'],
        ...['-object', `memory-backend-memfd,id=ram0,size=${memory},share=true,prealloc=false`],
      ];
    case 'tdx':
      return [
        ...['-machine', 'q35,kernel-irqchip=split,confidential-guest-support=guest0'],
        ...['-object', 'tdx-guest,id=guest0'],
      ];
    case 'none':
    case 'vbs':
      throw new PetriError(`QEMU has no object for isolation type '${isolation}'`, {
        code: 'unsupported',
        step: 'launch',
      });
  }
}
