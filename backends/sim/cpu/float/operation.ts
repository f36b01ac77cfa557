/** Floating-point instructions as generated code names them to the exact unit: see `exact-unit.ts`. */

export const ExactKind = {
  Add: 0,
  Subtract: 1,
  Multiply: 2,
  MultiplyExtended: 3,
  NegatedMultiply: 4,
  Divide: 5,
  AbsoluteDifference: 6,
  Maximum: 7,
  Minimum: 8,
  MaximumNumber: 9,
  MinimumNumber: 10,
  ReciprocalStep: 11,
  RootStep: 12,
  /** Comparisons of vectors. Detail: `ComparisonDetail`. */
  CompareEqual: 13,
  CompareGreaterOrEqual: 14,
  CompareGreater: 15,
  /** Detail: `MultiplyAddDetail`. */
  MultiplyAdd: 16,
  SquareRoot: 17,
  /** Detail: mode of rounding, and `EXACT` if what is no integer is inexact. */
  ToIntegral: 18,
  /** FRINT32Z and the like. Detail: mode of rounding, and `WIDE` for 64 bits. */
  ToBoundedIntegral: 19,
  ReciprocalEstimate: 20,
  RootEstimate: 21,
  ReciprocalExponent: 22,
  UnsignedReciprocalEstimate: 23,
  UnsignedRootEstimate: 24,
  /**
   * To and from integers of the same width; the parameter is the number of fraction bits. Detail: mode of rounding,
   * and `UNSIGNED`.
   */
  ToFixed: 25,
  FromFixed: 26,
  /** The same to and from a general-purpose register. Detail: also `WIDE` for X registers. */
  ToGeneral: 27,
  FromGeneral: 28,
  /** Detail: the other format, `ODD` and `HIGH`. */
  Convert: 29,
  /** FCMP, FCMPE. Detail: `CompareDetail`. */
  Compare: 30,
  ConvertJavaScript: 31,
  /** FCADD, FCMLA. Detail: quarter turns. */
  ComplexAdd: 32,
  ComplexMultiplyAdd: 33,
  /** Folds the lanes of Vn into one, neighbours first. Detail: the kind that combines two. */
  Reduce: 34,
  /** FMLAL, BFMLALB and their kin, whose lanes are singles. Detail: `LongDetail`. */
  MultiplyAddLong: 35,
  BrainMultiplyAdd: 36,
  BrainDot: 37,
  BrainMatrix: 38,
  /** Singles to BFloat16. Detail: `HIGH`. */
  BrainConvert: 39,
} as const;

export const ComparisonDetail = { WithZero: 1, Swapped: 2, Absolute: 4 } as const;
export const MultiplyAddDetail = { NegateAddend: 1, NegateProduct: 2, AddendIsA: 4 } as const;
/** The upper half of Vn, or its odd elements; and the negated product. */
export const LongDetail = { High: 1, Negate: 2 } as const;
export const CompareDetail = { Signals: 1, WithZero: 2 } as const;
/** Beside a mode of rounding, of which there is one more here: that in FPCR. */
export const MODE_OF_FPCR = 7;
export const EXACT = 8;
export const UNSIGNED = 8;
export const WIDE = 16;
/** Beside the other format of a conversion: rounds to odd; the narrow elements are those of the high half. */
export const ODD = 4;
export const HIGH = 8;

/** Formats by number. */
export const ExactFormat = { Half: 1, Single: 2, Double: 3 } as const;

/** Where the second operand's elements are. */
export const Source = {
  /** In the same lanes. */
  Lanes: 0,
  /** In one element, at the operand's slot. */
  Element: 1,
  /** Operands are neighbours in the concatenation of both registers. */
  Pairs: 2,
} as const;

export interface ExactOperation {
  readonly kind: number;
  readonly format: number;
  /** 1 to 8; default: 1. */
  readonly lanes?: number;
  readonly source?: number;
  readonly detail?: number;
}

/** The operation in one number. */
export function packed({ kind, format, lanes = 1, source = Source.Lanes, detail = 0 }: ExactOperation): number {
  return kind | (format << 6) | ((lanes - 1) << 8) | (source << 11) | (detail << 13);
}

export function unpacked(operation: number): Required<ExactOperation> {
  return {
    kind: operation & 63,
    format: (operation >> 6) & 3,
    lanes: ((operation >> 8) & 7) + 1,
    source: (operation >> 11) & 3,
    detail: operation >> 13,
  };
}
