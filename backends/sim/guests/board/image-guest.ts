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
    const size = sizeOf(payload, config);
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
              psci: size.el2 ? 'smc' : 'hvc',
              el2: size.el2,
              its: true,
              pmu: true,
              bootargs: payload.commandLine,
              rngSeed: seedOf(payload.commandLine),
              ...(initrd === undefined ? {} : { initrd }),
            }),
          ),
      },
      ramOf(map, size.memory),
      size.flash ? flashOf(map) : [],
    );
    return (listener) => BoardGuest.boot(map, { ...size, ...diskOf(payload) }, boot, listener);
  },

  resume(payload, config, state, listener) {
    const size = { ...sizeOf(payload, config), ...diskOf(payload) };
    return BoardGuest.resume(machineMaps[payload.board], size, state, listener);
  },
};

function sizeOf({ board, loads, el }: ImagePayload, { memory, vcpus }: VmConfig) {
  const inFlash = (address: number): boolean =>
    flashOf(machineMaps[board]).some(({ base, bytes }) => address >= base && address < base + bytes);
  return { memory, vcpus, el2: el === 2, flash: loads.some(({ address }) => inFlash(address)) };
}
