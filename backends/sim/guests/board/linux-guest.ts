import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LinuxPayload, VmConfig } from '../../../../petri/contract/index.ts';
import { AGENT_INIT, agentInitramfs } from '../../../../petri/kit/linux/index.ts';
import { unpackKernel } from '../../../../petri/payload/index.ts';
import { encodeDeviceTree, machineMaps } from '../../machine/index.ts';
import type { BoardFactory } from '../kind.ts';
import { ramOf } from './board.ts';
import { BoardGuest } from './board-guest.ts';
import { linuxBoot } from './boot-state.ts';
import { diskOf } from './payload-disk.ts';
import { seedOf } from './random-seed.ts';

const GZIP = 0x1f;
/** Of the UART that is the agent's. */
const AGENT_DEVICE = 'ttyAMA1';

function readKernel(path: string): Buffer {
  const unpacked = unpackKernel(path);
  if (unpacked !== undefined) return Buffer.from(unpacked);
  const bytes = readFileSync(path);
  return bytes[0] === GZIP ? gunzipSync(bytes) : bytes;
}

/** The kernel's whole command line. */
function commandLine({ commandLine }: LinuxPayload, agent: string): string {
  const own = `console=ttyAMA0 panic=-1 rdinit=${AGENT_INIT} petri.agent=${agent} petri.port=${AGENT_DEVICE}`;
  return `${own} ${commandLine}`.trimEnd();
}

export const linuxGuests: BoardFactory<LinuxPayload> = {
  prepare(payload: LinuxPayload, config: VmConfig, agent: string) {
    const map = machineMaps.virt;
    const size = { memory: config.memory, vcpus: config.vcpus };
    const bootargs = commandLine(payload, agent);
    const boot = linuxBoot(
      {
        kernel: readKernel(payload.path),
        initramfs: agentInitramfs(payload),
        deviceTree: (initramfs) =>
          encodeDeviceTree(
            map.deviceTree({
              ...size,
              psci: 'hvc',
              its: true,
              pmu: true,
              bootargs,
              rngSeed: seedOf(bootargs),
              ...(initramfs === undefined ? {} : { initrd: initramfs }),
            }),
          ),
      },
      ramOf(map, size.memory),
    );
    return (listener) => BoardGuest.boot(map, { ...size, ...diskOf(payload) }, boot, listener);
  },

  resume(payload, { memory, vcpus }, state, listener) {
    return BoardGuest.resume(machineMaps.virt, { memory, vcpus, ...diskOf(payload) }, state, listener);
  },
};
