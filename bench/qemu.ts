import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TmkPayload } from '../petri/contract/index.ts';
import { Supervisor } from '../petri/kit/process/index.ts';
import { launchVm, resolveVmConfig } from '../petri/vm/index.ts';
import { loadBackend } from '../petri/vitest/index.ts';

/** The peer: `qemu-system-aarch64 -M virt` with a bare-metal program, without anything that would slow its start. */
const program = 'qemu-system-aarch64';
const machine = ['-M', 'virt', '-cpu', 'cortex-a57', '-m', '512'];
const nothingElse = ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'];

const ENTRY = 0x4020_0000;
const EM_AARCH64 = 183;

const movz = (rd: number, imm16: number, hw: number): number => (0xd280_0000 | (hw << 21) | (imm16 << 5) | rd) >>> 0;
const movk = (rd: number, imm16: number, hw: number): number => (0xf280_0000 | (hw << 21) | (imm16 << 5) | rd) >>> 0;

/** Prints a line, and powers off through PSCI or stays. */
function bareMetal(end: 'power-off' | 'stay'): number[] {
  const PL011 = 0x0900_0000;
  const code = [movz(1, PL011 >>> 16, 1)];
  for (const byte of Buffer.from('hello world\n')) code.push(movz(2, byte, 0), 0xb900_0022);
  // SYSTEM_OFF is 0x84000008.
  if (end === 'power-off') code.push(movz(0, 8, 0), movk(0, 0x8400, 1), 0xd400_0002);
  code.push(0x1400_0000);
  return code;
}

/** An ELF file of a given size whose one segment is the program and then zeros. */
function elfFile(code: readonly number[], bytes: number): Buffer {
  const HEADERS = 64 + 56;
  const file = Buffer.alloc(Math.max(bytes, HEADERS + code.length * 4));
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(EM_AARCH64, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(ENTRY + HEADERS), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(7, 68);
  file.writeBigUInt64LE(BigInt(ENTRY), 80);
  file.writeBigUInt64LE(BigInt(ENTRY), 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  code.forEach((word, index) => file.writeUInt32LE(word, HEADERS + index * 4));
  return file;
}

export interface QemuRun {
  /** Milliseconds from the call of spawn to the first byte on the serial port. */
  readonly firstByte: number;
  /** Milliseconds to the end of the process. */
  readonly total: number;
}

export class Qemu {
  readonly version: string;
  readonly #directory: string;

  private constructor(version: string, directory: string) {
    this.version = version;
    this.#directory = directory;
  }

  /** @returns undefined where QEMU is not installed */
  static find(directory: string): Qemu | undefined {
    const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (status !== 0) return undefined;
    return new Qemu(/version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version', directory);
  }

  /** Runs the program to its end. @param bytes size of its ELF file */
  async run(bytes: number): Promise<QemuRun> {
    const kernel = this.#kernel('power-off', bytes);
    const start = performance.now();
    const child = this.#spawn(kernel);
    const firstByte = await first(child, start);
    await new Promise((resolve) => child.once('close', resolve));
    return { firstByte, total: performance.now() - start };
  }

  /** Resident bytes of the process once its guest has printed. */
  async residentBytes(bytes: number): Promise<number> {
    const child = this.#spawn(this.#kernel('stay', bytes));
    await first(child, 0);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Milliseconds that a test of a TMK takes behind a monitor at EL2, which serves MMIO as plane 0 does. */
  async behindMonitor(payload: TmkPayload, test: string): Promise<number> {
    const backend = await loadBackend('qemu');
    const directory = mkdtempSync(join(this.#directory, 'monitor-'));
    const spec = { isolation: 'none', payload, config: resolveVmConfig(), machine: 'shared' } as const;
    const vm = await launchVm(backend, spec, { directory, features: ['tmk'], test });
    try {
      await vm.serial.waitFor('running test');
      const started = performance.now();
      await vm.halted;
      return performance.now() - started;
    } finally {
      await vm.dispose();
    }
  }

  /** Ends what the measurements left for the next one. */
  async close(): Promise<void> {
    const backend = await loadBackend('qemu');
    await backend.close?.();
    await Supervisor.current()?.close();
  }

  #kernel(end: 'power-off' | 'stay', bytes: number): string {
    const path = join(this.#directory, `bare-metal-${end}-${bytes}.elf`);
    writeFileSync(path, elfFile(bareMetal(end), bytes));
    return path;
  }

  #spawn(kernel: string): ChildProcess {
    return spawn(program, [...machine, ...nothingElse, '-kernel', kernel], { stdio: ['pipe', 'pipe', 'inherit'] });
  }
}

async function first(child: ChildProcess, start: number): Promise<number> {
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${program} ended without a word`)));
  });
  return performance.now() - start;
}
