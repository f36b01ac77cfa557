import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE_BYTES, RegisterFile, SLOT_PAGE, type Case, type Outcome } from './registers.ts';

/** Executes cases on QEMU's user-mode emulator. */

export const CROSS_COMPILER = 'aarch64-linux-gnu-gcc';
const EMULATOR = 'qemu-aarch64';
/** A processor that QEMU emulates: all extensions, or Armv8.0 with CRC32 and the cryptographic instructions. */
export type Processor = 'max' | 'cortex-a57';

const CASE_BYTES = 16 + RegisterFile.Bytes;
const CHANGED_MAX = 64;
const RESULT_BYTES = 8 + RegisterFile.Bytes + 16 + CHANGED_MAX;

/** @returns why the oracle is unavailable, or undefined */
export function missingTools(): string | undefined {
  for (const [tool, packageName] of [
    [CROSS_COMPILER, 'gcc-aarch64-linux-gnu'],
    [EMULATOR, 'qemu-user'],
  ] as const) {
    if (spawnSync(tool, ['--version']).status !== 0) return `${tool} is missing (Debian package ${packageName})`;
  }
  return undefined;
}

/** @param pattern contents of the scratch page before each case */
export function runOracle(pattern: Uint8Array, cases: readonly Case[], processor: Processor = 'max'): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'petri-oracle-'));
  try {
    const program = join(folder, 'harness');
    const options = ['-O1', '-static', '-no-pie', '-fno-pie', '-fno-stack-protector', '-Wl,--no-warn-rwx-segments'];
    const place = `-Wl,--section-start=.slot=0x${SLOT_PAGE.toString(16)}`;
    execFileSync(CROSS_COMPILER, [
      ...options,
      place,
      '-o',
      program,
      fileURLToPath(new URL('harness.c', import.meta.url)),
    ]);
    return execute(program, pattern, cases, processor);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function execute(program: string, pattern: Uint8Array, cases: readonly Case[], processor: Processor): Outcome[] {
  const input = Buffer.alloc(PAGE_BYTES + cases.length * CASE_BYTES);
  input.set(pattern);
  for (const [index, { pc, word, registers }] of cases.entries()) {
    const at = PAGE_BYTES + index * CASE_BYTES;
    input.writeBigUInt64LE(BigInt(pc), at);
    input.writeBigUInt64LE(BigInt(word), at + 8);
    input.set(registers, at + 16);
  }
  const maxBuffer = cases.length * RESULT_BYTES + 4096;
  const done = spawnSync(EMULATOR, ['-cpu', processor, program], { input, maxBuffer });
  if (done.status !== 0 || done.stdout.length !== cases.length * RESULT_BYTES) {
    const answered = Math.floor(done.stdout.length / RESULT_BYTES);
    const culprit = cases[answered];
    throw new Error(
      `${EMULATOR} ended after ${String(answered)} cases (status ${String(done.status)}, signal ${String(done.signal)}), ` +
        `at ${culprit?.name ?? 'the end'} ${culprit?.word.toString(16) ?? ''}: ${done.stderr.toString()}`,
    );
  }
  return cases.map((_, index) => readOutcome(done.stdout, index * RESULT_BYTES));
}

function readOutcome(output: Buffer, at: number): Outcome {
  const signal = Number(output.readBigUInt64LE(at));
  const changedAt = at + 8 + RegisterFile.Bytes;
  const first = Number(output.readBigUInt64LE(changedAt));
  const bytes = Math.min(Number(output.readBigUInt64LE(changedAt + 8)), CHANGED_MAX);
  return {
    fault: signal === 0 ? undefined : `signal ${String(signal)}`,
    registers: new Uint8Array(output.subarray(at + 8, changedAt)),
    changed: { at: first, bytes: new Uint8Array(output.subarray(changedAt + 16, changedAt + 16 + bytes)) },
  };
}
