import { AGENT_INIT, afterReset } from '../linux/index.ts';
import { optionValue } from './option-value.ts';
import type { HaltReason, BackendLimits, VmSpec, LinuxPayload } from '../../contract/index.ts';

const MIB = 2 ** 20;
/** Device of the first PCI serial port. */
const AGENT_PORT = 'ttyS0';

/** The GICv2 of the virt machine supports eight PEs. Debian's kernel does not boot with less memory. */
export const linuxLimits: BackendLimits = {
  minMemory: 128 * MIB,
  maxMemory: 64 * 1024 * MIB,
  maxVcpus: 8,
  maxPlanes: 3,
};

export interface LinuxMachine {
  readonly spec: VmSpec<LinuxPayload>;
  /** Paths on the machine that runs QEMU: the kernel, and an initramfs with the agent in it. */
  readonly kernel: string;
  readonly initramfs: string;
  /** Path of a raw disk image there, which QEMU does not change. */
  readonly disk?: string | undefined;
  /** Printed by the agent when it is ready. */
  readonly nonce: string;
  /** Ids of the chardevs of the console and of the agent, which the caller adds. */
  readonly serial: string;
  readonly agent: string;
  readonly cpu?: string | undefined;
}

/**
 * QEMU's arguments for an ordinary VM that boots Linux, stopped before its first instruction until QMP's `cont`. The
 * agent has a serial port of its own. A reset ends QEMU, as a power-off does: the event SHUTDOWN tells which it was.
 */
export function linuxMachineArguments(machine: LinuxMachine): string[] {
  const { payload, config } = machine.spec;
  const own = `console=ttyAMA0 panic=-1 rdinit=${AGENT_INIT} petri.agent=${machine.nonce} petri.port=${AGENT_PORT}`;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-S'],
    ...['-machine', 'virt', '-accel', 'tcg', '-cpu', machine.cpu ?? 'max,pauth-impdef=on,sve=off,sme=off'],
    ...['-smp', String(config.vcpus), '-m', `${String(config.memory / MIB)}M`],
    ...['-kernel', machine.kernel, '-initrd', machine.initramfs],
    ...['-append', `${own} ${payload.commandLine}`.trimEnd()],
    ...(machine.disk === undefined ? [] : diskArguments(machine.disk)),
    ...['-serial', `chardev:${machine.serial}`, '-device', `pci-serial,chardev=${machine.agent}`],
  ];
}

/** A disk on virtio-mmio, as on the simulator's board; what the guest writes goes to a temporary file of QEMU. */
function diskArguments(path: string): string[] {
  return [
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-drive', `if=none,id=disk,format=raw,snapshot=on,file=${optionValue(path)}`],
    ...['-device', 'virtio-blk-device,drive=disk'],
  ];
}

/**
 * Why Linux ended with its QEMU.
 *
 * @param shutdown the reason in QMP's event SHUTDOWN, if there was one
 * @param words the end of its output
 * @param how how QEMU ended, for messages
 */
export function linuxHalt(shutdown: string | undefined, words: string, how: string): HaltReason {
  if (shutdown === 'guest-shutdown') return { reason: 'power-off' };
  if (shutdown !== 'guest-reset') return { reason: 'backend-lost', message: how };
  return afterReset(words);
}
