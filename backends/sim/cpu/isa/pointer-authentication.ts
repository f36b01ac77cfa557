import { address, Mode } from './addressing.ts';
import { CALL_TYPE, typeOfJump } from './branches.ts';
import { insn, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import { Exit, type Lowering, type RegisterOperand } from './lowering.ts';
import { Operation } from './operation.ts';
import { i32, i64, type I32, type I64 } from '../wasm/expr.ts';
import { ContextState, LANDING_PAD, PacMask, pacMask, VcpuState } from '../layout.ts';
import { slotOf } from '../pe/system-registers.ts';

/**
 * FEAT_PAuth with FEAT_PAuth2, FEAT_FPAC and FEAT_FPACCOMBINE: a pointer that fails to authenticate is an exception of
 * the instruction that authenticates it. The algorithm is implementation defined: a code depends on all bits of the
 * pointer, the modifier and the key, but nothing here resists cryptanalysis.
 */

/** Numbers of the keys: bit 1 for data, bit 0 for B. They are the ISS of a failure as well. */
type Key = number;
const DATA_A: Key = 2;
const PLACE_OF_KEY = [
  [slotOf('APIAKeyLo_EL1'), slotOf('APIAKeyHi_EL1')],
  [slotOf('APIBKeyLo_EL1'), slotOf('APIBKeyHi_EL1')],
  [slotOf('APDAKeyLo_EL1'), slotOf('APDAKeyHi_EL1')],
  [slotOf('APDBKeyLo_EL1'), slotOf('APDBKeyHi_EL1')],
  [slotOf('APGAKeyLo_EL1'), slotOf('APGAKeyHi_EL1')],
] as const;
const GENERIC = 4;

const state = i32.const(0);
const X16 = ContextState.X + 16 * 8;
const X17 = ContextState.X + 17 * 8;
const X30 = ContextState.X + 30 * 8;
const NONE = xSource(31);
const SELECT = 55n;

/** ComputePAC: every step is a permutation of 64 bits for each value of the other two. */
function computePac(code: Lowering, value: I64, modifier: I64, key: Key): I64 {
  const [low, high] = PLACE_OF_KEY[key] ?? PLACE_OF_KEY[GENERIC];
  const spread = (input: I64, factor: bigint, by: bigint): I64 => {
    const product = code.let(i64.mul(input, i64.const(BigInt.asIntN(64, factor))));
    return i64.xor(product, i64.shrU(product, i64.const(by)));
  };
  const first = spread(i64.xor(value, i64.load(state, low)), 0x9e37_79b9_7f4a_7c15n, 32n);
  const second = spread(i64.xor(first, modifier), 0xd1b5_4a32_d192_ed03n, 29n);
  return spread(i64.xor(second, i64.load(state, high)), 0x8cb9_2ba7_2f3d_8dd7n, 32n);
}

/** Bits of a pointer that hold a code; bit 55 chooses between the halves of the address space. */
function maskOf(code: Lowering, pointer: I64, use: number): I64 {
  const half = i32.wrap(i64.and(i64.shrU(pointer, i64.const(SELECT - 3n)), i64.const(8n)));
  return code.let(i64.load(half, pacMask(use, 0)));
}

/** What differs, in the bits of the mask, between a pointer and the one without a code. */
function extension(pointer: I64, mask: I64): I64 {
  const sign = i64.shrS(i64.shl(pointer, i64.const(63n - SELECT)), i64.const(63n));
  return i64.and(i64.xor(pointer, sign), mask);
}

/** The pointer with its code added, or removed if the code is there. */
function exchanged(code: Lowering, pointer: I64, modifier: I64, key: Key, mask: I64): I64 {
  const canonical = i64.xor(pointer, extension(pointer, mask));
  return code.let(i64.xor(pointer, i64.and(computePac(code, canonical, modifier, key), mask)));
}

function fails(result: I64, mask: I64): I32 {
  return i64.ne(extension(result, mask), i64.const(0n));
}

/** AddPAC or Auth of the pointer in `a`; nothing happens while the key is not enabled. */
function inPlace(code: Lowering, to: RegisterOperand, authenticates: number, key: Key): void {
  const pointer = code.let(code.x('a'));
  const mask = maskOf(code, pointer, key);
  code.if(i64.ne(mask, i64.const(0n)), () => {
    const change = authenticates === 1 ? authenticated : exchanged;
    code.setX(to, change(code, pointer, code.x('n'), key, mask));
  });
}

/** Auth: exits if the code is wrong. Without an enabled key the mask is zero, and the pointer stays as it is. */
function authenticated(code: Lowering, pointer: I64, modifier: I64, key: Key, mask: I64): I64 {
  const result = exchanged(code, pointer, modifier, key, mask);
  code.if(fails(result, mask), () => {
    code.exit(Exit.System);
  });
  return result;
}

function strip(code: Lowering, data: number): void {
  const pointer = code.let(code.x('a'));
  const mask = maskOf(code, pointer, data === 1 ? PacMask.AnyData : PacMask.AnyInstruction);
  code.setX('d', i64.xor(pointer, extension(pointer, mask)));
}

/** Instructions whose results depend on the algorithm (Arm ARM, C4.1.94 and C4.1.95). */
export const pointerAuthentication: readonly Definition[] = [
  insn(
    'PACIA, PACIB, PACDA, PACDB, AUTIA, AUTIB, AUTDA, AUTDB and their forms with a modifier of zero',
    '1 1 0 11010110 00001 00 Z auth key:2 Rn:5 Rd:5',
    ({ Z, auth, key, Rn, Rd }) => {
      if (Z === 1 && Rn !== 31) return undefined;
      const n = Z === 1 ? NONE : xOrSp(Rn);
      return { variant: [auth, key], d: xDest(Rd), a: xSource(Rd), n, small: Operation.PacFail + key };
    },
    (code, auth, key) => {
      inPlace(code, 'd', auth, key);
    },
  ),
  insn(
    'PACIA1716, PACIB1716, AUTIA1716, AUTIB1716; PACIAZ, PACIASP and the like',
    '1101010100 0 00 011 0010 00 lr 1 auth key sp 11111',
    ({ lr, auth, key, sp }) => {
      if (lr === 0 && sp === 1) return undefined;
      const [a, n] = lr === 0 ? [X17, X16] : [X30, sp === 1 ? xOrSp(31) : NONE];
      const operands = { variant: [auth, key], a, n, small: Operation.PacFail + key };
      // PACIASP and PACIBSP are landing pads, for jumps as well if SCTLR_EL1.BT0 or BT1 says so: the run loop looks.
      return lr === 1 && sp === 1 && auth === 0 ? { ...operands, d: LANDING_PAD | (1 << 1) | (1 << 2) } : operands;
    },
    (code, auth, key) => {
      inPlace(code, 'a', auth, key);
    },
  ),
  insn(
    'PACGA',
    '1 0 0 11010110 Rm:5 001100 Rn:5 Rd:5',
    ({ Rm, Rn, Rd }) => ({ d: xDest(Rd), n: xSource(Rn), m: xOrSp(Rm) }),
    (code) => {
      const pac = computePac(code, code.x('n'), code.x('m'), GENERIC);
      code.setX('d', i64.and(pac, i64.const(-0x1_0000_0000n)));
    },
  ),
  insn(
    'LDRAA, LDRAB',
    '11 111 0 00 M S 1 imm9:9 W 1 Rn:5 Rt:5',
    ({ M, S, imm9, W, Rn, Rt }) => ({
      variant: [W === 1 ? Mode.Pre : Mode.Offset, Rn === 31 ? 1 : 0, DATA_A + M],
      d: xDest(Rt),
      n: xOrSp(Rn),
      imm: BigInt.asUintN(64, BigInt(signExtend((S << 9) | imm9, 10) * 8)),
      small: Operation.PacFail + DATA_A + M,
    }),
    (code, mode, sp, key) => {
      const { at, done } = address(code, mode, sp, (pointer) =>
        code.let(authenticated(code, pointer, i64.const(0n), key, maskOf(code, pointer, key))),
      );
      code.setX('d', i64.load(code.readable(at, 8)));
      done();
    },
  ),
];

function branchTarget(code: Lowering, modifier: I64, key: Key): I64 {
  const pointer = code.let(code.x('n'));
  return authenticated(code, pointer, modifier, key, maskOf(code, pointer, key));
}

/** Branches and exception returns that authenticate where they go; the modifier is in `d`. */
export const authenticatedBranches: readonly Definition[] = [
  insn(
    'BRAA, BRAB, BRAAZ, BRABZ',
    '1101011 Z 0 00 11111 00001 M Rn:5 Rm:5',
    ({ Z, M, Rn, Rm }) => {
      if (Z === 0 && Rm !== 31) return undefined;
      const modifier = Z === 1 ? xOrSp(Rm) : NONE;
      return { variant: [M, typeOfJump(Rn)], n: xSource(Rn), d: modifier, small: Operation.PacFail + M };
    },
    (code, key, type) => {
      code.branchTo(branchTarget(code, code.x('d'), key), type === 1 ? 1 : 3);
    },
    'never',
  ),
  insn(
    'BLRAA, BLRAB, BLRAAZ, BLRABZ',
    '1101011 Z 0 01 11111 00001 M Rn:5 Rm:5',
    ({ Z, M, Rn, Rm }, pc) => {
      if (Z === 0 && Rm !== 31) return undefined;
      const modifier = Z === 1 ? xOrSp(Rm) : NONE;
      return { variant: [M], n: xSource(Rn), d: modifier, imm: BigInt(pc + 4), small: Operation.PacFail + M };
    },
    (code, key) => {
      const target = branchTarget(code, code.x('d'), key);
      code.emit(i64.store(state, code.imm(), X30));
      code.branchTo(target, CALL_TYPE);
    },
    'maybe',
  ),
  insn(
    'RETAA, RETAB',
    '1101011 0 0 10 11111 00001 M 11111 11111',
    ({ M }) => ({ variant: [M], n: X30, d: xOrSp(31), small: Operation.PacFail + M }),
    (code, key) => {
      code.branchTo(branchTarget(code, code.x('d'), key));
    },
    'never',
  ),
  insn(
    'ERETAA, ERETAB',
    '1101011 0100 11111 00001 M 11111 11111',
    ({ M }) => ({ variant: [M], d: xOrSp(31), small: Operation.EretAuthenticated, low: M }),
    (code, key) => {
      // The run loop returns, or takes the exception: which of them, EL0 must not find out.
      const pointer = code.let(i64.load(state, slotOf('ELR_EL1')));
      const mask = maskOf(code, pointer, key);
      const result = exchanged(code, pointer, code.x('d'), key, mask);
      code.emit(i64.store(state, result, VcpuState.EretTarget));
      code.emit(i32.store(state, fails(result, mask), VcpuState.EretFails));
      code.exit(Exit.System);
    },
    'never',
  ),
];

/** Instructions that remove a code whatever it is. */
export const pacStripping: readonly Definition[] = [
  insn(
    'XPACI, XPACD',
    '1 1 0 11010110 00001 01000 D 11111 Rd:5',
    ({ D, Rd }) => ({ variant: [D], d: xDest(Rd), a: xSource(Rd) }),
    strip,
  ),
  insn('XPACLRI', '1101010100 0 00 011 0010 0000 111 11111', () => ({ variant: [0], d: X30, a: X30 }), strip),
];
