import { base } from './addressing.ts';
import { insn, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import type { Lowering } from './lowering.ts';
import { i32, i64, type I32, type I64 } from '../wasm/expr.ts';
import { ContextState } from '../layout.ts';

const state = i32.const(0);
const MONITOR_OPEN = i64.const(-1n);

function load(place: I32, bytes: number, offset = 0): I64 {
  return ({ 1: i64.load8U, 2: i64.load16U, 4: i64.load32U }[bytes] ?? i64.load)(place, offset);
}

function store(place: I32, bytes: number, value: I64, offset = 0): readonly number[] {
  return ({ 1: i64.store8, 2: i64.store16, 4: i64.store32 }[bytes] ?? i64.store)(place, value, offset);
}

/** Sets the local monitor. One PE runs at a time and a context switch clears it, so it is the global monitor too. */
function setMonitor(code: Lowering, at: I64, bytes: number): void {
  code.emit(i64.store(state, at, ContextState.ExclusiveAddress));
  code.emit(i32.store(state, i32.const(bytes), ContextState.ExclusiveSize));
}

/** Runs `write` if the monitor matches; the status register becomes 0 for success, 1 for failure. */
function ifMonitorHolds(code: Lowering, at: I64, bytes: number, write: () => void): void {
  const sameAddress = i64.eq(at, i64.load(state, ContextState.ExclusiveAddress));
  const sameSize = i32.eq(i32.const(bytes), i32.load(state, ContextState.ExclusiveSize));
  const holds = code.let(i32.and(sameAddress, sameSize));
  code.if(holds, write);
  code.emit(i64.store(state, MONITOR_OPEN, ContextState.ExclusiveAddress));
  code.setW('s', i32.eqz(holds));
}

/** Load- and store-exclusive, ordered loads and stores, compare and swap (Arm ARM, C4.1.94). */
export const exclusives: readonly Definition[] = [
  insn(
    'LDXR, LDAXR and their byte and halfword forms',
    'size:2 001000 0 1 0 11111 o0 11111 Rn:5 Rt:5',
    ({ size, Rn, Rt }) => ({ variant: [1 << size, Rn === 31 ? 1 : 0], d: xDest(Rt), n: xOrSp(Rn) }),
    (code, bytes = 8, sp) => {
      const at = code.let(base(code, sp));
      const value = load(code.readableAligned(at, bytes), bytes);
      setMonitor(code, at, bytes);
      code.setX('d', value);
    },
  ),
  insn(
    'STXR, STLXR and their byte and halfword forms',
    'size:2 001000 0 0 0 Rs:5 o0 11111 Rn:5 Rt:5',
    ({ size, Rs, Rn, Rt }) => ({
      variant: [1 << size, Rn === 31 ? 1 : 0],
      s: xDest(Rs),
      n: xOrSp(Rn),
      d: xSource(Rt),
    }),
    (code, bytes = 8, sp) => {
      const at = code.let(base(code, sp));
      ifMonitorHolds(code, at, bytes, () => {
        code.writableAligned(at, bytes, (place) => {
          code.emit(store(place, bytes, code.x('d')));
        });
      });
    },
  ),
  insn(
    'LDXP, LDAXP',
    '1 sz 001000 0 1 1 11111 o0 Rt2:5 Rn:5 Rt:5',
    ({ sz, Rt2, Rn, Rt }) => ({
      variant: [4 << sz, Rn === 31 ? 1 : 0],
      d: xDest(Rt),
      m: xDest(Rt2),
      n: xOrSp(Rn),
    }),
    (code, bytes = 8, sp) => {
      const at = code.let(base(code, sp));
      const place = code.readableAligned(at, bytes * 2);
      setMonitor(code, at, bytes * 2);
      code.setX('d', load(place, bytes));
      code.setX('m', load(place, bytes, bytes));
    },
  ),
  insn(
    'STXP, STLXP',
    '1 sz 001000 0 0 1 Rs:5 o0 Rt2:5 Rn:5 Rt:5',
    ({ sz, Rs, Rt2, Rn, Rt }) => ({
      variant: [4 << sz, Rn === 31 ? 1 : 0],
      s: xDest(Rs),
      d: xSource(Rt),
      m: xSource(Rt2),
      n: xOrSp(Rn),
    }),
    (code, bytes = 8, sp) => {
      const at = code.let(base(code, sp));
      ifMonitorHolds(code, at, bytes * 2, () => {
        code.writableAligned(at, bytes * 2, (place) => {
          code.emit(store(place, bytes, code.x('d')));
          code.emit(store(place, bytes, code.x('m'), bytes));
        });
      });
    },
  ),
  insn(
    'LDAR, LDLAR and their byte and halfword forms',
    'size:2 001000 1 1 0 11111 o0 11111 Rn:5 Rt:5',
    ({ size, Rn, Rt }) => ({ variant: [1 << size, Rn === 31 ? 1 : 0], d: xDest(Rt), n: xOrSp(Rn) }),
    (code, bytes = 8, sp) => {
      code.setX('d', load(code.readableAligned(code.let(base(code, sp)), bytes, true), bytes));
    },
  ),
  insn(
    'STLR, STLLR and their byte and halfword forms',
    'size:2 001000 1 0 0 11111 o0 11111 Rn:5 Rt:5',
    ({ size, Rn, Rt }) => ({ variant: [1 << size, Rn === 31 ? 1 : 0], d: xSource(Rt), n: xOrSp(Rn) }),
    (code, bytes = 8, sp) => {
      const write = (place: I32): void => {
        code.emit(store(place, bytes, code.x('d')));
      };
      code.writableAligned(code.let(base(code, sp)), bytes, write, true);
    },
  ),
  insn(
    'CAS, CASA, CASAL, CASL and their byte and halfword forms',
    'size:2 001000 1 x 1 Rs:5 x 11111 Rn:5 Rt:5',
    ({ size, Rs, Rn, Rt }) => ({
      variant: [1 << size, Rn === 31 ? 1 : 0],
      s: xSource(Rs),
      a: xDest(Rs),
      d: xSource(Rt),
      n: xOrSp(Rn),
    }),
    (code, bytes = 8, sp) => {
      code.modifiable(code.let(base(code, sp)), bytes, (place) => {
        const old = code.let(load(place, bytes));
        const mask = i64.const(BigInt.asUintN(bytes * 8, -1n));
        code.if(i64.eq(old, i64.and(code.x('s'), mask)), () => {
          code.emit(store(place, bytes, code.x('d')));
        });
        code.setX('a', old);
      });
    },
  ),
  insn(
    'CASP, CASPA, CASPAL, CASPL',
    '0 sz 001000 0 x 1 Rs:5 x 11111 Rn:5 Rt:5',
    ({ sz, Rs, Rn, Rt }) => {
      if ((Rs & 1) === 1 || (Rt & 1) === 1) return undefined;
      return {
        variant: [4 << sz, Rn === 31 ? 1 : 0, Rs === 30 ? 1 : 0],
        s: xSource(Rs),
        d: xSource(Rt),
        m: xSource(Rs + 1),
        a: xSource(Rt + 1),
        n: xOrSp(Rn),
      };
    },
    (code, bytes = 8, sp, comparesZero) => {
      code.modifiable(code.let(base(code, sp)), bytes * 2, (place) => {
        const mask = i64.const(BigInt.asUintN(bytes * 8, -1n));
        const low = code.let(load(place, bytes));
        const high = code.let(load(place, bytes, bytes));
        const same = i32.and(i64.eq(low, i64.and(code.x('s'), mask)), i64.eq(high, i64.and(code.x('m'), mask)));
        code.if(same, () => {
          code.emit(store(place, bytes, code.x('d')));
          code.emit(store(place, bytes, code.x('a'), bytes));
        });
        code.setX('s', low);
        // With Rs = 30 the second register is XZR.
        if (comparesZero !== 1) code.setX('m', high);
      });
    },
  ),
  insn(
    'LDAPR and its byte and halfword forms',
    'size:2 111000 1 0 1 11111 1 100 00 Rn:5 Rt:5',
    ({ size, Rn, Rt }) => ({ variant: [1 << size, Rn === 31 ? 1 : 0], d: xDest(Rt), n: xOrSp(Rn) }),
    (code, bytes = 8, sp) => {
      code.setX('d', load(code.readableAligned(code.let(base(code, sp)), bytes, true), bytes));
    },
  ),
];

function combine(operation: number, bytes: number, old: I64, operand: I64): I64 {
  const bits = bytes * 8;
  const signed = (value: I64): I64 => {
    const shift = i64.const(BigInt(64 - bits));
    return bits === 64 ? value : i64.shrS(i64.shl(value, shift), shift);
  };
  const unsigned = (value: I64): I64 => (bits === 64 ? value : i64.and(value, i64.const(BigInt.asUintN(bits, -1n))));
  const pick = (compare: (a: I64, b: I64) => I32, view: (value: I64) => I64): I64 =>
    i64.select(compare(view(old), view(operand)), old, operand);
  switch (operation) {
    case 0:
      return i64.add(old, operand);
    case 1:
      return i64.and(old, i64.xor(operand, i64.const(-1n)));
    case 2:
      return i64.xor(old, operand);
    case 3:
      return i64.or(old, operand);
    case 4:
      return pick(i64.gtS, signed);
    case 5:
      return pick(i64.ltS, signed);
    case 6:
      return pick(i64.gtU, unsigned);
    default:
      return pick(i64.ltU, unsigned);
  }
}

/** Atomic memory operations of FEAT_LSE (Arm ARM, C4.1.94). */
export const atomics: readonly Definition[] = [
  insn(
    'LDADD, LDCLR, LDEOR, LDSET, LDSMAX, LDSMIN, LDUMAX, LDUMIN',
    'size:2 111000 x x 1 Rs:5 0 opc:3 00 Rn:5 Rt:5',
    ({ size, Rs, opc, Rn, Rt }) => ({
      variant: [1 << size, Rn === 31 ? 1 : 0, opc],
      s: xSource(Rs),
      d: xDest(Rt),
      n: xOrSp(Rn),
    }),
    (code, bytes = 8, sp, operation = 0) => {
      code.modifiable(code.let(base(code, sp)), bytes, (place) => {
        const old = code.let(load(place, bytes));
        const operand = code.let(code.x('s'));
        code.emit(store(place, bytes, combine(operation, bytes, old, operand)));
        code.setX('d', old);
      });
    },
  ),
  insn(
    'SWP, SWPA, SWPAL, SWPL and their byte and halfword forms',
    'size:2 111000 x x 1 Rs:5 1 000 00 Rn:5 Rt:5',
    ({ size, Rs, Rn, Rt }) => ({
      variant: [1 << size, Rn === 31 ? 1 : 0],
      s: xSource(Rs),
      d: xDest(Rt),
      n: xOrSp(Rn),
    }),
    (code, bytes = 8, sp) => {
      code.modifiable(code.let(base(code, sp)), bytes, (place) => {
        const old = code.let(load(place, bytes));
        code.emit(store(place, bytes, code.x('s')));
        code.setX('d', old);
      });
    },
  ),
];
