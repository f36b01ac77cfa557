import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hvc, TestMachine } from '../../testing/test-machine.ts';
import { VcpuState } from '../../layout.ts';
import { RunExit } from '../../types.ts';

/** Whole algorithms, compared with Node's: what instructions make of registers, as programs use them. */

const two = (opcode: number) => (d: number, n: number) => (opcode | (n << 5) | d) >>> 0;
const three = (opcode: number) => (d: number, n: number, m: number) => (opcode | (m << 16) | (n << 5) | d) >>> 0;

const aese = two(0x4e28_4800);
const aesd = two(0x4e28_5800);
const aesmc = two(0x4e28_6800);
const aesimc = two(0x4e28_7800);
const sha256h = three(0x5e00_4000);
const sha256h2 = three(0x5e00_5000);
const sha256su0 = two(0x5e28_2800);
const sha256su1 = three(0x5e00_6000);
const addWords = three(0x4ea0_8400);
const move = (d: number, n: number): number => three(0x4ea0_1c00)(d, n, n);
const eor = three(0x6e20_1c00);

const machine = new TestMachine();

function register(number: number): Buffer {
  return Buffer.from(machine.memory.u8.buffer, VcpuState.V + number * 16, 16);
}

function run(...words: number[]): void {
  machine.load([...words, hvc(0)]);
  machine.context.pc = BigInt(TestMachine.CODE);
  expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
}

describe('AES', () => {
  const KEY = Buffer.from('a lion is a lion');
  const TEXT = Buffer.from('a tiger is not a');
  const ROUNDS = 10;

  /** Each byte through the substitution box: in four equal columns, ShiftRows changes nothing. */
  function substituted(word: Uint8Array): Uint8Array {
    for (let column = 0; column < 4; column += 1) register(0).set(word, column * 4);
    register(1).fill(0);
    run(aese(0, 1));
    return Uint8Array.from(register(0).subarray(0, 4));
  }

  function keys(): Buffer[] {
    const words: Uint8Array[] = Array.from({ length: 4 }, (_, n) => KEY.subarray(n * 4, n * 4 + 4));
    let constant = 1;
    for (let n = 4; n < 4 * (ROUNDS + 1); n += 1) {
      let mixed: Uint8Array = Uint8Array.from(words[n - 1] ?? KEY);
      if (n % 4 === 0) {
        mixed = substituted(Uint8Array.of(...mixed.subarray(1), ...mixed.subarray(0, 1)));
        mixed[0] = (mixed[0] ?? 0) ^ constant;
        constant = constant < 0x80 ? constant << 1 : (constant << 1) ^ 0x11b;
      }
      words.push(mixed.map((byte, at) => byte ^ (words[n - 4]?.[at] ?? 0)));
    }
    return Array.from({ length: ROUNDS + 1 }, (_, round) => Buffer.concat(words.slice(round * 4, round * 4 + 4)));
  }

  it('encrypts a block', () => {
    for (const [round, key] of keys().entries()) key.copy(register(1 + round));
    TEXT.copy(register(0));
    const rounds = Array.from({ length: ROUNDS }, (_, round) => [
      aese(0, 1 + round),
      ...(round < ROUNDS - 1 ? [aesmc(0, 0)] : []),
    ]);
    run(...rounds.flat(), eor(0, 0, 1 + ROUNDS));
    const cipher = createCipheriv('aes-128-ecb', KEY, null).setAutoPadding(false);
    expect(register(0).toString('hex')).toBe(Buffer.concat([cipher.update(TEXT), cipher.final()]).toString('hex'));
  });

  it('decrypts a block', () => {
    for (const [round, key] of keys().toReversed().entries()) key.copy(register(1 + round));
    TEXT.copy(register(0));
    const inner = Array.from({ length: ROUNDS - 1 }, (_, round) => aesimc(2 + round, 2 + round));
    const rounds = Array.from({ length: ROUNDS }, (_, round) => [
      aesd(0, 1 + round),
      ...(round < ROUNDS - 1 ? [aesimc(0, 0)] : []),
    ]);
    run(...inner, ...rounds.flat(), eor(0, 0, 1 + ROUNDS));
    const decipher = createDecipheriv('aes-128-ecb', KEY, null).setAutoPadding(false);
    expect(register(0).toString('hex')).toBe(Buffer.concat([decipher.update(TEXT), decipher.final()]).toString('hex'));
  });
});

describe('SHA-256', () => {
  const primes = Array.from({ length: 312 }, (_, n) => n).filter(
    (n) => n > 1 && !Array.from({ length: n }, (_, divisor) => divisor).some((by) => by > 1 && n % by === 0),
  );
  const fraction = (root: number): number => Math.floor((root % 1) * 2 ** 32);

  function load(first: number, words: readonly number[]): void {
    words.forEach((word, n) => register(first + (n >> 2)).writeUInt32LE(word, (n & 3) * 4));
  }

  it('hashes a block', () => {
    const message = Buffer.from('the quick brown fox');
    const block = Buffer.alloc(64);
    message.copy(block);
    block[message.length] = 0x80;
    block.writeUInt32BE(message.length * 8, 60);
    const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
    load(
      4,
      Array.from({ length: 16 }, (_, n) => block.readUInt32BE(n * 4)),
    );
    // The state in V0 and V1, the schedule in V4 to V7, the constants of four rounds in V8.
    load(0, initial);
    for (let round = 0; round < 64; round += 4) {
      load(
        8,
        primes.slice(round, round + 4).map((prime) => fraction(Math.cbrt(prime))),
      );
      run(
        addWords(8, 8, 4),
        move(2, 0),
        sha256h(0, 1, 8),
        sha256h2(1, 2, 8),
        sha256su0(4, 5),
        sha256su1(4, 6, 7),
        ...[move(9, 4), move(4, 5), move(5, 6), move(6, 7), move(7, 9)],
      );
    }
    const digest = Buffer.alloc(32);
    initial.forEach((word, n) => {
      digest.writeUInt32BE((word + register(n >> 2).readUInt32LE((n & 3) * 4)) >>> 0, n * 4);
    });
    expect(digest.toString('hex')).toBe(createHash('sha256').update(message).digest('hex'));
  });
});
