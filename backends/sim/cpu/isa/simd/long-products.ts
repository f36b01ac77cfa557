import { insn, vRegister, type Definition } from '../definition.ts';
import { ExactFormat, ExactKind, HIGH, LongDetail, packed, Source } from '../../float/operation.ts';
import { indexedOperands } from './by-element.ts';

/**
 * Products of halves and of BFloat16 into singles: FEAT_FHM and FEAT_BF16 (Arm ARM, C4.1.96). The exact unit executes
 * them all.
 */

function registers({ Rm = 0, Rn, Rd }: { readonly Rm?: number; readonly Rn: number; readonly Rd: number }) {
  return { d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
}

function operation(kind: number, lanes: number, detail = 0, source: number = Source.Lanes): number {
  return packed({ kind, format: ExactFormat.Single, lanes, detail, source });
}

function lanesByQ(Q: number): number {
  return Q === 1 ? 4 : 2;
}

function multiplyAddLong(second: number, negative: number): number {
  return (second === 1 ? LongDetail.High : 0) | (negative === 1 ? LongDetail.Negate : 0);
}

function top(Q: number): number {
  return Q === 1 ? LongDetail.High : 0;
}

export const longProducts: readonly Definition[] = [
  insn(
    'FMLAL, FMLSL (vector)',
    '0 Q 0 01110 S 01 Rm:5 111011 Rn:5 Rd:5',
    (f) => ({
      variant: [operation(ExactKind.MultiplyAddLong, lanesByQ(f.Q), multiplyAddLong(0, f.S))],
      ...registers(f),
    }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'FMLAL2, FMLSL2 (vector)',
    '0 Q 1 01110 S 01 Rm:5 110011 Rn:5 Rd:5',
    (f) => ({
      variant: [operation(ExactKind.MultiplyAddLong, lanesByQ(f.Q), multiplyAddLong(1, f.S))],
      ...registers(f),
    }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'FMLAL, FMLAL2, FMLSL, FMLSL2 (by element)',
    '0 Q U 01111 10 L M Rm:4 second S 00 H 0 Rn:5 Rd:5',
    (f) => {
      if (f.U !== f.second) return undefined;
      const detail = multiplyAddLong(f.second, f.S);
      return {
        variant: [operation(ExactKind.MultiplyAddLong, lanesByQ(f.Q), detail, Source.Element)],
        ...indexedOperands(f, 1),
      };
    },
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFDOT (vector)',
    '0 Q 1 01110 01 0 Rm:5 111111 Rn:5 Rd:5',
    (f) => ({ variant: [operation(ExactKind.BrainDot, lanesByQ(f.Q))], ...registers(f) }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFDOT (by element)',
    '0 Q 0 01111 01 L M Rm:4 1111 H 0 Rn:5 Rd:5',
    (f) => ({
      variant: [operation(ExactKind.BrainDot, lanesByQ(f.Q), 0, Source.Element)],
      ...indexedOperands(f, 2),
    }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFMMLA',
    '0 1 1 01110 01 0 Rm:5 111011 Rn:5 Rd:5',
    (f) => ({ variant: [operation(ExactKind.BrainMatrix, 4)], ...registers(f) }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFMLALB, BFMLALT (vector)',
    '0 Q 1 01110 11 0 Rm:5 111111 Rn:5 Rd:5',
    (f) => ({ variant: [operation(ExactKind.BrainMultiplyAdd, 4, top(f.Q))], ...registers(f) }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFMLALB, BFMLALT (by element)',
    '0 Q 0 01111 11 L M Rm:4 1111 H 0 Rn:5 Rd:5',
    (f) => ({
      variant: [operation(ExactKind.BrainMultiplyAdd, 4, top(f.Q), Source.Element)],
      ...indexedOperands(f, 1),
    }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFCVT',
    '00011110 01 1 000110 10000 Rn:5 Rd:5',
    (f) => ({ variant: [operation(ExactKind.BrainConvert, 1)], ...registers(f) }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
  insn(
    'BFCVTN, BFCVTN2',
    '0 Q 0 01110 10 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [operation(ExactKind.BrainConvert, 4, f.Q === 1 ? HIGH : 0)], ...registers(f) }),
    (code, exact = 0) => {
      code.exactly(exact);
    },
  ),
];
