import { expect, it } from 'vitest';
import { randomCase } from '../testing/cases.ts';
import { PAGE_BYTES, Random, RegisterFile } from '../testing/registers.ts';
import { casePc, Subject, type Tier } from '../testing/subject.ts';
import { commonSequences } from './common-sequences.ts';

/** What the Arm ARM's pseudocode gives, of numbers: QEMU 7.2 has none of these instructions. */
function expected(name: string, word: number, bits: number, n: bigint, m: bigint): bigint {
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  const unsigned = (value: bigint): bigint => BigInt.asUintN(bits, value);
  const digits = unsigned(n).toString(2).padStart(bits, '0');
  if (name === 'ABS (general)') return signed(n) < 0n ? -signed(n) : n;
  if (name === 'CTZ, CNT') {
    const count = (word & (1 << 10)) !== 0;
    return BigInt(count ? digits.replaceAll('0', '').length : bits - (digits.lastIndexOf('1') + 1));
  }
  const immediate = name.endsWith('(immediate)');
  const [minimum, isUnsigned] = immediate
    ? [(word >>> 19) & 1, (word >>> 18) & 1]
    : [(word >>> 11) & 1, (word >>> 10) & 1];
  const view = isUnsigned === 1 ? unsigned : signed;
  const byte = BigInt((word >>> 10) & 0xff);
  const second = immediate ? (isUnsigned === 1 ? byte : BigInt.asIntN(8, byte)) : m;
  const [a, b] = [view(n), view(second)];
  return a > b === (minimum === 0) ? a : b;
}

it.each<Tier>(['interpreted', 'compiled'])('%s, does what the pseudocode says', (tier) => {
  const random = new Random(3);
  const cases = Array.from({ length: tier === 'interpreted' ? 200 : 12 }, () => commonSequences)
    .flat()
    .flatMap((definition, index) => randomCase(random, definition, casePc(index)) ?? []);
  const outcomes = new Subject(new Uint8Array(PAGE_BYTES)).run(cases, tier);
  for (const [index, { name, word, registers }] of cases.entries()) {
    const before = new DataView(registers.buffer);
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error('it was not executed');
    expect(outcome.fault).toBeUndefined();
    const x = (field: number): bigint => {
      const number = (word >>> field) & 31;
      return number === 31 ? 0n : before.getBigUint64(RegisterFile.X + number * 8, true);
    };
    const rd = word & 31;
    if (rd === 31) continue;
    const bits = word >>> 31 === 1 ? 64 : 32;
    const after = new DataView(outcome.registers.buffer).getBigUint64(RegisterFile.X + rd * 8, true);
    expect(after, `${name} ${word.toString(16)}`).toBe(BigInt.asUintN(bits, expected(name, word, bits, x(5), x(16))));
  }
});
