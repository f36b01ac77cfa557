import { randomBytes } from 'node:crypto';

import { agentInitramfs } from '../../../petri/kit/linux/index.ts';
import { unpackKernel } from '../../../petri/payload/index.ts';
import type { LinuxPayload, VmSpec } from '../../../petri/contract/index.ts';
import { linuxMachineArguments } from '../../../petri/kit/qemu/index.ts';
import type { SerialConsole } from '../../../petri/serial/index.ts';
import { AGENT_PORT, LinuxGuest } from '../guests/linux-guest.ts';
import type { MonitorQemuConfig } from '../hosts/schema.ts';
import { fillTemplate } from '../hosts/template.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import type { Program } from './program.ts';
import { portChardev, qmpArguments } from './qemu-ports.ts';

const SERIAL = 'serial';

export interface LinuxProgramContext {
  readonly spec: VmSpec<LinuxPayload>;
  readonly home: HostFolder;
  readonly serial: SerialConsole;
  /** Milliseconds in which a broken connection may be restored. */
  readonly reconnect: number;
}

/**
 * Linux in QEMU's emulation on a host, on the same machine type as in the backend `qemu`.
 *
 * @throws PetriError `upload-failed`, `connection-failed`
 */
export async function linuxQemu(
  config: MonitorQemuConfig,
  { spec, home, serial, reconnect }: LinuxProgramContext,
): Promise<Program> {
  const kernel = await home.put(unpackKernel(spec.payload.path) ?? spec.payload.path);
  const initramfs = await home.put(agentInitramfs(spec.payload));
  const disk = spec.payload.disk === undefined ? undefined : await home.put(spec.payload.disk);
  const nonce = randomBytes(8).toString('hex');
  const { memory, vcpus } = spec.config;
  return {
    guest: new LinuxGuest({
      nonce,
      reconnect,
      serial: (bytes) => {
        serial.push(bytes);
      },
    }),
    argv: (folder) => [
      config.command,
      ...linuxMachineArguments({
        spec,
        kernel,
        initramfs,
        disk,
        nonce,
        serial: SERIAL,
        agent: AGENT_PORT,
        cpu: config.cpu,
      }),
      // The console uses standard input and output, which survive a broken connection.
      ...['-chardev', `stdio,id=${SERIAL},signal=off`],
      ...['-chardev', portChardev(AGENT_PORT, folder)],
      ...qmpArguments(folder),
      ...config.args.map((argument) =>
        fillTemplate(argument, {
          payload: kernel,
          test: '',
          index: '',
          folder,
          memory: String(memory),
          memoryMiB: String(memory / 2 ** 20),
          vcpus: String(vcpus),
        }),
      ),
    ],
  };
}
