import { readFileSync } from 'node:fs';
import type { ImagePayload, VmConfig } from '../../../../petri/contract/index.ts';
import { encodeDeviceTree, machineMaps } from '../../machine/index.ts';
import type { BoardFactory } from '../kind.ts';
import { BoardGuest } from './board-guest.ts';
import { flashOf, ramOf } from './board.ts';
import { imageBoot } from './boot-state.ts';
import { diskOf } from './payload-disk.ts';
import { seedOf } from './random-seed.ts';

export const imageGuests: BoardFactory<ImagePayload> = {
  prepare(payload: ImagePayload, config: VmConfig) {
    const map = machineMaps[payload.board];
    const banks = flashOf(map);
    const flash = payload.loads.some(({ address }) => banks.some(({ base, bytes }) => isIn(address, base, bytes)));
    const size = { memory: config.memory, vcpus: config.vcpus, flash };
    const boot = imageBoot(
      {
        loads: payload.loads.map((part) => ({ ...part, name: payload.name })),
        entry: payload.entry,
        x: payload.x,
        ...(payload.initrd === undefined ? {} : { initrd: readFileSync(payload.initrd) }),
        deviceTree: (initrd) =>
          encodeDeviceTree(
            map.deviceTree({
              memory: size.memory,
              vcpus: size.vcpus,
              psci: 'hvc',
              its: true,
              pmu: true,
              bootargs: payload.commandLine,
              rngSeed: seedOf(payload.commandLine),
              ...(initrd === undefined ? {} : { initrd }),
            }),
          ),
      },
      ramOf(map, size.memory),
      flash ? banks : [],
    );
    return (listener) => BoardGuest.boot(map, { ...size, ...diskOf(payload) }, boot, listener);
  },

  resume(payload, { memory, vcpus }, state, listener) {
    return BoardGuest.resume(machineMaps[payload.board], { memory, vcpus, ...diskOf(payload) }, state, listener);
  },
};

function isIn(address: number, base: number, bytes: number): boolean {
  return address >= base && address < base + bytes;
}
