import { insn, xDest, xSource, type Definition } from './definition.ts';
import { Exit, type Lowering, type RegisterOperand } from './lowering.ts';
import { Operation } from './operation.ts';
import { i32, i64, v128, type I32, type I64 } from '../wasm/expr.ts';
import { ContextState, VcpuState } from '../layout.ts';
import { Pstate } from '../pe/pstate.ts';

/**
 * FEAT_MOPS as Option B: registers hold how far the operation has come, and PSTATE.C is set. A prologue only checks and
 * prepares; the main instruction does all the work, a chunk within a page each time it is executed, and repeats itself
 * until nothing is left. So each chunk counts as an instruction, and interrupts and the end of a run come between two.
 */

const Stage = { Prologue: 0, Main: 1, Epilogue: 2, Set: 3 } as const;

const state = i32.const(0);
const PAGE = 4096;
const VECTOR = 16;
/** Sizes of chunks; at page boundaries and at the end smaller ones remain. */
const CHUNKS = [64, 8, 1] as const;
type Chunk = (typeof CHUNKS)[number];
/** SCTLR_ELx.MSCEn, in bits 63:32. */
const MSCEN = 1 << 1;
/** PSTATE of Option B: C, with N for a copy from the end to the start. */
const OPTION_B = 1 << 29;
const BACKWARD = 1 << 31;
/** ISS of a Memory Copy and Memory Set exception: WrongOption, while OptionA says that this is Option B. */
const Iss = { MemInst: 1 << 24, OptionsShift: 19, FromEpilogue: 1 << 18, WrongOption: 1 << 17 } as const;
const MAX_COPY = 0x007f_ffff_ffff_ffffn;
const MAX_SIZE = 0x7fff_ffff_ffff_ffffn;

/** Undefined at EL0 unless the level that controls EL0 allows it. */
function checkEnabled(code: Lowering): void {
  const el0 = i32.eqz(i32.and(i32.load(state, ContextState.Pstate), i32.const(Pstate.El)));
  const enabled = i32.and(i32.load(state, VcpuState.SctlrHigh), i32.const(MSCEN));
  code.if(i32.and(el0, i32.eqz(enabled)), () => {
    code.exit(Exit.Undefined);
  });
}

/** The operation began on a PE that uses Option A, or not at all. */
function checkOption(code: Lowering): void {
  code.if(i32.eqz(code.carry()), () => {
    code.exit(Exit.System);
  });
}

function saturated(code: Lowering, max: bigint): I64 {
  const size = code.let(code.x('n'));
  return code.let(i64.select(i64.gtU(size, i64.const(max)), i64.const(max), size));
}

/** Whether a chunk from an address on, or up to it, is in one page. */
function inPage(address: I64, bytes: number, backward: boolean): I32 {
  const first = backward ? i64.sub(address, i64.const(BigInt(bytes))) : address;
  const offset = i32.and(i32.wrap(first), i32.const(PAGE - 1));
  return i32.leU(offset, i32.const(PAGE - bytes));
}

/**
 * Moves the largest chunk that is left and in one page, adjusts the registers, and executes the instruction again;
 * falls through when nothing is left.
 *
 * @param pointers registers with addresses
 */
function step(
  code: Lowering,
  pointers: readonly RegisterOperand[],
  backward: boolean,
  move: (at: (operand: RegisterOperand) => I64, bytes: Chunk) => void,
): void {
  const left = code.let(code.x('n'));
  const addresses = new Map(pointers.map((operand) => [operand, code.let(code.x(operand))]));
  const addressOf = (operand: RegisterOperand): I64 => addresses.get(operand) ?? i64.const(0n);
  const attempt = ([bytes, ...smaller]: readonly Chunk[]): void => {
    if (bytes === undefined) return;
    const size = i64.const(BigInt(bytes));
    const enough = i64.geU(left, size);
    const fits = pointers.map((operand) => inPage(addressOf(operand), bytes, backward));
    code.if(
      [enough, ...fits].reduce((all, one) => i32.and(all, one)),
      () => {
        const next = (operand: RegisterOperand): I64 =>
          backward ? i64.sub(addressOf(operand), size) : i64.add(addressOf(operand), size);
        move((operand) => (backward ? code.let(next(operand)) : addressOf(operand)), bytes);
        for (const operand of pointers) code.setX(operand, next(operand));
        code.setX('n', i64.sub(left, size));
        code.repeat();
      },
      () => {
        attempt(smaller);
      },
    );
  };
  attempt(CHUNKS);
}

function copy(code: Lowering, backward: boolean, readsEl0: boolean, writesEl0: boolean): void {
  step(code, ['d', 's'], backward, (at, bytes) => {
    const from = code.readable(at('s'), bytes, 1, readsEl0);
    if (bytes === 64) {
      const values = Array.from({ length: bytes / VECTOR }, (_, n) => code.let(v128.load(from, n * VECTOR)));
      code.writable(
        at('d'),
        bytes,
        (to) => {
          for (const [n, value] of values.entries()) code.emit(v128.store(to, value, n * VECTOR));
        },
        1,
        writesEl0,
      );
    } else {
      const value = code.let(bytes === 8 ? i64.load(from) : i64.load8U(from));
      code.writable(
        at('d'),
        bytes,
        (to) => {
          code.emit((bytes === 8 ? i64.store : i64.store8)(to, value));
        },
        1,
        writesEl0,
      );
    }
  });
}

function set(code: Lowering, writesEl0: boolean): void {
  step(code, ['d'], false, (at, bytes) => {
    const value = code.let(v128.splatI8(code.w('s')));
    code.writable(
      at('d'),
      bytes,
      (to) => {
        if (bytes === 64) for (let n = 0; n < bytes; n += VECTOR) code.emit(v128.store(to, value, n));
        else code.emit((bytes === 8 ? i64.store : i64.store8)(to, v128.extractI64(value, 0)));
      },
      1,
      writesEl0,
    );
  });
}

/** Which way to copy so that no byte is overwritten before it was read (Arm ARM, CPYP). */
function prepareCopy(code: Lowering, overlaps: boolean): void {
  const size = saturated(code, overlaps ? MAX_COPY : MAX_SIZE);
  const place = (operand: RegisterOperand): I64 => i64.and(code.x(operand), i64.const((1n << 56n) - 1n));
  const [from, to] = [code.let(place('s')), code.let(place('d'))];
  const hazard = i32.and(i64.ltU(from, to), i64.gtU(i64.add(from, size), to));
  const backward = code.let(overlaps ? hazard : i32.const(0));
  const moved = code.let(i64.select(backward, size, i64.const(0n)));
  for (const operand of ['d', 's'] as const) code.setX(operand, i64.add(code.x(operand), moved));
  code.setX('n', size);
  code.setNzcv(i32.or(i32.const(OPTION_B), i32.shl(backward, i32.const(31))));
}

function isBackward(code: Lowering): I32 {
  return i32.and(code.nzcv(), i32.const(BACKWARD));
}

/** Copies and sets of memory (Arm ARM, C4.1.94). Registers that overlap are UNDEFINED, which is a permitted choice. */
export const memoryOperations: readonly Definition[] = [
  insn(
    'CPYFP, CPYFM, CPYFE, CPYP, CPYM, CPYE and their unprivileged and non-temporal forms',
    '00 011 overlaps 01 stage:2 0 Rs:5 options:4 01 Rn:5 Rd:5',
    ({ overlaps, stage, Rs, options, Rn, Rd }) => {
      const registers = new Set([Rs, Rn, Rd, 31]);
      if (stage === Stage.Set || registers.size < 4) return undefined;
      const iss =
        (options << Iss.OptionsShift) |
        (stage === Stage.Epilogue ? Iss.FromEpilogue : 0) |
        Iss.WrongOption |
        ((Rd << 10) | (Rs << 5) | Rn);
      return {
        variant: [overlaps, stage === Stage.Prologue ? 1 : 0, options & 3],
        d: xDest(Rd),
        n: xDest(Rn),
        s: xDest(Rs),
        small: Operation.MemoryOption,
        high: iss,
      };
    },
    (code, overlaps, prologue, unprivileged = 0) => {
      checkEnabled(code);
      if (prologue === 1) return prepareCopy(code, overlaps === 1);
      checkOption(code);
      const [writesEl0, readsEl0] = [(unprivileged & 1) !== 0, (unprivileged & 2) !== 0];
      if (overlaps === 0) return copy(code, false, readsEl0, writesEl0);
      code.if(
        isBackward(code),
        () => {
          copy(code, true, readsEl0, writesEl0);
        },
        () => {
          copy(code, false, readsEl0, writesEl0);
        },
      );
    },
    'maybe',
  ),
  insn(
    'SETP, SETM, SETE and their unprivileged and non-temporal forms',
    '00 011 0 01 11 0 Rs:5 stage:2 options:2 01 Rn:5 Rd:5',
    ({ Rs, stage, options, Rn, Rd }) => {
      if (stage === Stage.Set || Rd === 31 || Rn === 31 || new Set([Rs, Rn, Rd]).size < 3) return undefined;
      const iss =
        Iss.MemInst |
        (options << Iss.OptionsShift) |
        (stage === Stage.Epilogue ? Iss.FromEpilogue : 0) |
        Iss.WrongOption |
        ((Rd << 10) | (Rs << 5) | Rn);
      return {
        variant: [stage === Stage.Prologue ? 1 : 0, options & 1],
        d: xDest(Rd),
        n: xDest(Rn),
        s: xSource(Rs),
        small: Operation.MemoryOption,
        high: iss,
      };
    },
    (code, prologue, unprivileged) => {
      checkEnabled(code);
      if (prologue === 1) {
        code.setX('n', saturated(code, MAX_SIZE));
        code.setNzcv(i32.const(OPTION_B));
        return;
      }
      checkOption(code);
      set(code, unprivileged === 1);
    },
    'maybe',
  ),
];
