/** Cumulative exception flags of FPSR, and what FPCR asks of an operation (Arm ARM, C5.2.8 and C5.2.10). */

export const Flag = { IOC: 1 << 0, DZC: 1 << 1, OFC: 1 << 2, UFC: 1 << 3, IXC: 1 << 4, IDC: 1 << 7 } as const;

/** Modes of rounding: the first four are numbered as in FPCR.RMode. */
export const Rounding = {
  /** To nearest, ties to even. */
  Nearest: 0,
  Up: 1,
  Down: 2,
  Zero: 3,
  /** To nearest, ties away from zero: to integers only. */
  Away: 4,
  /** What is inexact gets a last bit of one: FCVTXN only. */
  Odd: 5,
} as const;

const AHP = 1 << 26;
const DN = 1 << 25;
const FZ = 1 << 24;
const RMODE_SHIFT = 22;
const FZ16 = 1 << 19;

/** Whether generated code computes as FPCR asks: to nearest, and nothing is flushed. DN and AHP do not concern it. */
export function isDefaultMode(fpcr: number): boolean {
  return (fpcr & (FZ | (3 << RMODE_SHIFT) | FZ16)) === 0;
}

/** The modes of one instruction, and the flags that it raises. */
export class Environment {
  readonly rounding: number;
  /** Denormal singles and doubles are zero, as operands and as results. */
  readonly flushes: boolean;
  /** The same of halves, except in conversions from one precision to another. */
  readonly flushesHalves: boolean;
  /** Every NaN result is the default NaN. */
  readonly defaultNan: boolean;
  /** Halves that are converted have neither infinities nor NaNs. */
  readonly alternative: boolean;
  raised = 0;

  constructor(fpcr: number) {
    this.rounding = (fpcr >>> RMODE_SHIFT) & 3;
    this.flushes = (fpcr & FZ) !== 0;
    this.flushesHalves = (fpcr & FZ16) !== 0;
    this.defaultNan = (fpcr & DN) !== 0;
    this.alternative = (fpcr & AHP) !== 0;
  }

  raise(flags: number): void {
    this.raised |= flags;
  }
}
