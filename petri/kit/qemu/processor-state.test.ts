import { expect, it } from 'vitest';
import { parseRegisters } from './processor-state.ts';

function info(lines: readonly string[]): string {
  return ['', 'CPU#0', ...lines, 'PSTATE=600003c5 -ZC- EL1h  BTYPE=0     FPCR=00000000 FPSR=00000000'].join('\r\n');
}

const value = (n: number): string => n.toString(16).padStart(16, '0');
const all = Array.from({ length: 31 }, (_, n) => `X${String(n).padStart(2, '0')}=${value(n)}`);

it('parses the state of a PE from the human monitor', () => {
  const text = info([
    ` PC=${value(0x1234)} ${all.slice(0, 2).join(' ')}`,
    all.slice(2).join(' '),
    `  SP=${value(0x80)}`,
  ]);
  expect(parseRegisters(text)).toEqual({
    x: Array.from({ length: 31 }, (_, n) => BigInt(n)),
    sp: 0x80n,
    pc: 0x1234n,
    pstate: 0x6000_03c5n,
  });
});

it.each([
  ['nothing', ''],
  ['a register too few', info([` PC=${value(1)} SP=${value(2)}`, all.slice(1).join(' ')])],
  ['no PC', info([`SP=${value(2)}`, all.join(' ')])],
  ['something else', 'unknown command: info registers'],
])('rejects %s', (_, text) => {
  expect(parseRegisters(text)).toBeUndefined();
});
