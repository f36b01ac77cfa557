import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LinuxPayload, VmConfig } from '../../../../petri/contract/index.ts';
import { AGENT_INIT, agentInitramfs } from '../../../../petri/kit/linux/index.ts';
import { unpackKernel } from '../../../../petri/payload/index.ts';
import type { BoardFactory } from '../kind.ts';
import { BoardGuest } from './board-guest.ts';
import { linuxBoot } from './boot-state.ts';

const RAM_BASE = 0x4000_0000;
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

export const linuxGuests: BoardFactory = {
  prepare(payload: LinuxPayload, config: VmConfig, agent: string) {
    const size = { memory: config.memory, vcpus: config.vcpus };
    const boot = linuxBoot(
      {
        kernel: readKernel(payload.path),
        initramfs: agentInitramfs(payload),
        deviceTree: (initramfs) => scratchTree(commandLine(payload, agent), initramfs, size.memory),
      },
      { base: RAM_BASE, bytes: size.memory },
    );
    return (listener) => new BoardGuest(size, boot, listener);
  },
};

import { execFileSync } from 'node:child_process';
function scratchTree(args: string, rd: { start: number; end: number } | undefined, memory: number): Uint8Array {
  const hex = (n: number) => `0x${n.toString(16)}`;
  const dts = readFileSync('scratch/virt.dts', 'utf8')
    .replace(/bootargs="[^"]*"/, `bootargs="${args}"`)
    .replace(/initrd-start=<0 \w+>/, `initrd-start=<0 ${hex(rd!.start)}>`)
    .replace(/initrd-end=<0 \w+>/, `initrd-end=<0 ${hex(rd!.end)}>`)
    .replace(/reg=<0 0x40000000 0 \w+>/, `reg=<0 0x40000000 0 ${hex(memory)}>`);
  return execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb'], { input: dts });
}
