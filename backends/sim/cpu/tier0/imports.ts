import { exactResultNames } from './exact-results.ts';

/** Function imports of generated modules, by function index. */
export const Import = {
  /** (bytes, align) -> place or -1; the address is in SlowAddress of the state. */
  SlowRead: 0,
  SlowWrite: 1,
  SlowModify: 2,
  /** (bytes) -> 0: writes SlowData to guest memory. */
  CommitWrite: 3,
  /** (bytes, align) -> place or -1: the block of DC ZVA around the address in SlowAddress. */
  SlowZero: 4,
  /** (operation, parameter, d, n, m, a) -> cost in instructions: see float/exact-unit.ts. */
  Exact: 5,
  /** (a, b, result) -> whether it is exact: see exact-results.ts. */
  IsSum: 6,
  IsProduct: 7,
  AreSums4: 8,
  AreProducts4: 9,
  AreSums2: 10,
  AreProducts2: 11,
} as const;
export type Import = (typeof Import)[keyof typeof Import];

export const importNames = [
  'slowRead',
  'slowWrite',
  'slowModify',
  'commitWrite',
  'slowZero',
  'exact',
  ...exactResultNames,
] as const;

/** Added to `align`: a misaligned access faults unless it is within 16 aligned bytes of Normal memory (FEAT_LSE2). */
export const MUST_ALIGN = 0x80;
/** Added as well: SCTLR_EL1.nAA lifts that limit. */
export const ORDERED = 0x200;
/** Added to `align`: permissions of EL0 count (LDTR, STTR). */
export const UNPRIVILEGED = 0x100;
