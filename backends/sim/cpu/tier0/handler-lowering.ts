import { ValType, type Code } from '../wasm/encode.ts';
import { call, f32, f64, i32, i64, localGet, returnCallIndirect, stmt, v128 } from '../wasm/expr.ts';
import type { AnyExpr, F32, F64, I32, I64, V128 } from '../wasm/expr.ts';
import { Exit, type BranchType, type Lowering, type RegisterOperand } from '../isa/lowering.ts';
import { Cost } from '../effort.ts';
import { ContextState, Itlb, LANDING_PAD, Record, Tlb, VcpuState } from '../layout.ts';
import { Import, MUST_ALIGN, ORDERED, UNPRIVILEGED } from './imports.ts';
import type { OperandSource } from './operands.ts';

/** Type index of every handler: (record, limit) -> exit reason. */
export const HANDLER_TYPE = 0;

/**
 * The record at which the budget would end if code ran straight on: limit - record is 16 times the number of
 * instructions left, so only branches have to adjust it.
 */
const LIMIT = 1;
const limit = localGet('i32', LIMIT);
const FIRST_LOCAL = 2;

const recordBytes = i32.const(Record.Bytes);
const zero = i32.const(0);

const localTypes = { i32: ValType.I32, i64: ValType.I64, f32: ValType.F32, f64: ValType.F64, v128: ValType.V128 };

/** Generates functions that execute instructions; the source supplies the operands. */
export class HandlerLowering implements Lowering {
  readonly code: number[] = [];
  readonly locals: ValType[] = [];
  #operands: OperandSource;
  #ended = false;

  constructor(operands: OperandSource) {
    this.#operands = operands;
  }

  /** Whether the last instruction never falls through to the next one. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Continues with the instruction after the last one. */
  follow(operands: OperandSource): void {
    this.#operands = operands;
  }

  /** Continues after the last instruction, unless it never falls through. */
  finish(): void {
    if (this.#ended) return;
    this.emit(goTo(this.#next, limit));
  }

  get #record(): I32 {
    return this.#operands.record;
  }
  get #next(): I32 {
    return i32.add(this.#operands.record, recordBytes);
  }

  x(operand: RegisterOperand): I64 {
    return i64.load(this.#slot(operand));
  }
  w(operand: RegisterOperand): I32 {
    return i32.load(this.#slot(operand));
  }
  setX(operand: RegisterOperand, value: I64): void {
    this.emit(i64.store(this.#slot(operand), value));
  }
  setW(operand: RegisterOperand, value: I32): void {
    this.setX(operand, i64.extendI32U(value));
  }

  q(operand: RegisterOperand, after = 0): V128 {
    return v128.load(this.#slot(operand), after * 16);
  }
  setQ(operand: RegisterOperand, value: V128, after = 0): void {
    this.emit(v128.store(this.#slot(operand), value, after * 16));
  }
  s(operand: RegisterOperand): F32 {
    return f32.load(this.#slot(operand));
  }
  setS(operand: RegisterOperand, value: F32): void {
    const bits = this.let(i32.reinterpretF32(value));
    const slot = this.let(this.#slot(operand));
    this.emit(i64.store(slot, i64.extendI32U(bits)));
    this.emit(i64.store(slot, i64.const(0n), 8));
  }
  dbl(operand: RegisterOperand): F64 {
    return f64.load(this.#slot(operand));
  }
  setDbl(operand: RegisterOperand, value: F64): void {
    const bits = this.let(value);
    const slot = this.let(this.#slot(operand));
    this.emit(f64.store(slot, bits));
    this.emit(i64.store(slot, i64.const(0n), 8));
  }
  element(operand: RegisterOperand, bytes: 1 | 2 | 4 | 8, index: number): I64 {
    const load = { 1: i64.load8U, 2: i64.load16U, 4: i64.load32U, 8: i64.load }[bytes];
    return load(this.#slot(operand), index * bytes);
  }
  setElement(operand: RegisterOperand, bytes: 1 | 2 | 4 | 8, index: number, value: I64): void {
    const store = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store }[bytes];
    this.emit(store(this.#slot(operand), value, index * bytes));
  }

  small(): I32 {
    return this.#operands.small();
  }
  imm(): I64 {
    return this.#operands.imm();
  }
  low(): I32 {
    return this.#operands.low();
  }
  high(): I32 {
    return this.#operands.high();
  }
  link(): I64 {
    return this.#operands.link();
  }

  let<T extends AnyExpr>(value: T): T {
    const index = FIRST_LOCAL + this.locals.length;
    this.locals.push(localTypes[value.type]);
    this.emit(stmt.localSet(index, value));
    // Safe: the local has the value's type.
    return localGet(value.type, index) as T;
  }

  if(condition: I32, body: () => void, otherwise?: () => void): void {
    const then = this.#collect(body);
    this.emit(stmt.if(condition, then, otherwise === undefined ? [] : this.#collect(otherwise)));
  }

  emit(code: Code): void {
    for (const byte of code) this.code.push(byte);
  }

  setFlags(n: I64, z: I64, c: I32, v: I32): void {
    this.emit(i64.store(zero, n, ContextState.N));
    this.emit(i64.store(zero, z, ContextState.Z));
    this.emit(i32.store(zero, c, ContextState.C));
    this.emit(i32.store(zero, v, ContextState.V));
  }
  setNzcv(value: I32): void {
    const nzcv = this.let(value);
    const bit = (n: number): I32 => i32.and(i32.shrU(nzcv, i32.const(n)), i32.const(1));
    this.setFlags(i64.extendI32S(nzcv), i64.extendI32U(i32.xor(bit(30), i32.const(1))), bit(29), bit(28));
  }
  nzcv(): I32 {
    const at = (value: I32, shift: number): I32 => i32.shl(value, i32.const(shift));
    return i32.or(
      i32.or(at(this.#negative(), 31), at(this.#zeroFlag(), 30)),
      i32.or(at(this.carry(), 29), at(this.#overflow(), 28)),
    );
  }
  carry(): I32 {
    return i32.load(zero, ContextState.C);
  }
  condition(cond: number): I32 {
    const holds = this.#evenCondition(cond >> 1);
    return (cond & 1) === 1 && cond !== 15 ? i32.eqz(holds) : holds;
  }
  #evenCondition(cond: number): I32 {
    const n = (): I32 => this.#negative();
    switch (cond) {
      case 0:
        return this.#zeroFlag();
      case 1:
        return this.carry();
      case 2:
        return n();
      case 3:
        return this.#overflow();
      case 4:
        return i32.and(this.carry(), i32.eqz(this.#zeroFlag()));
      case 5:
        return i32.eq(n(), this.#overflow());
      case 6:
        return i32.and(i32.eq(n(), this.#overflow()), i32.eqz(this.#zeroFlag()));
      default:
        return i32.const(1);
    }
  }
  #negative(): I32 {
    return i64.ltS(i64.load(zero, ContextState.N), i64.const(0n));
  }
  #zeroFlag(): I32 {
    return i64.eqz(i64.load(zero, ContextState.Z));
  }
  #overflow(): I32 {
    return i32.load(zero, ContextState.V);
  }

  readable(address: I64, bytes: number, align = bytes, unprivileged = false): I32 {
    return this.#translate(address, bytes, align, Tlb.ReadTag, Import.SlowRead, unprivileged ? UNPRIVILEGED : 0);
  }
  readableAligned(address: I64, bytes: number, ordered = false): I32 {
    const flags = MUST_ALIGN | (ordered ? ORDERED : 0);
    return this.#translate(address, bytes, bytes, Tlb.ReadTag, Import.SlowRead, flags);
  }
  writable(address: I64, bytes: number, write: (place: I32) => void, align = bytes, unprivileged = false): void {
    const flags = unprivileged ? UNPRIVILEGED : 0;
    this.#write(this.#translate(address, bytes, align, Tlb.WriteTag, Import.SlowWrite, flags), bytes, write);
  }
  writableAligned(address: I64, bytes: number, write: (place: I32) => void, ordered = false): void {
    const flags = MUST_ALIGN | (ordered ? ORDERED : 0);
    this.#write(this.#translate(address, bytes, bytes, Tlb.WriteTag, Import.SlowWrite, flags), bytes, write);
  }
  #write(place: I32, bytes: number, write: (place: I32) => void): void {
    write(place);
    // A write across a page boundary went to the bounce buffer.
    this.if(i32.eq(place, i32.const(VcpuState.SlowData)), () => {
      this.emit(stmt.drop(call('i32', Import.CommitWrite, [i32.const(bytes)])));
    });
  }
  modifiable(address: I64, bytes: number, modify: (place: I32) => void): void {
    // Atomics are within 16 aligned bytes, so they never cross a page and need no commit. A writable page is also
    // readable, except under a write-only overlay, and for that the slow path faults.
    modify(this.#translate(address, bytes, bytes, Tlb.WriteTag, Import.SlowModify, MUST_ALIGN));
  }

  zeroable(address: I64): I32 {
    return this.#translate(this.let(address), 1, 1, Tlb.ZeroTag, Import.SlowZero);
  }

  /** Looks the page up in the TLB; on a miss calls the slow path, which returns the place or records a fault. */
  #translate(address: I64, bytes: number, align: number, tag: number, slow: Import, flags = 0): I32 {
    const entry = this.let(
      i32.add(
        i32.load(zero, (flags & UNPRIVILEGED) === 0 ? VcpuState.Tlb : VcpuState.El0Tlb),
        // (address >> 12) % Entries * EntryBytes in one shift and mask.
        i32.and(i32.wrap(i64.shrU(address, i64.const(7n))), i32.const((Tlb.Entries - 1) * Tlb.EntryBytes)),
      ),
    );
    // The last unit must be in the same page and the address aligned: the tag is zero in the bits that would differ.
    const last = bytes === align ? address : i64.add(address, i64.const(BigInt(bytes - align)));
    const expected = i64.and(last, i64.const(-4096n | BigInt(align - 1)));
    const place = FIRST_LOCAL + this.locals.length;
    this.locals.push(ValType.I32);
    const hit = stmt.localSet(place, i32.add(i32.wrap(address), i32.load(entry, Tlb.Addend)));
    const miss = this.#collect(() => {
      this.#charge(Cost.SlowAccess);
      this.emit(i64.store(zero, address, VcpuState.SlowAddress));
      this.emit(stmt.localSet(place, call('i32', slow, [i32.const(bytes), i32.const(align | flags)])));
      this.if(i32.ltS(localGet('i32', place), i32.const(0)), () => {
        this.exit(Exit.Abort);
      });
    });
    this.emit(stmt.if(i64.eq(expected, i64.load(entry, tag)), hit, miss));
    return localGet('i32', place);
  }

  checkSp(): void {
    this.if(i32.and(i32.load(zero, ContextState.Sp), i32.const(15)), () => {
      this.exit(Exit.SpAlignment);
    });
  }

  branch(): void {
    const target = this.#operands.target();
    if (target.type === 'i64') return this.branchTo(target);
    const distance = this.let(target);
    const destination = this.let(i32.add(this.#record, distance));
    const newLimit = i32.add(limit, i32.sub(distance, recordBytes));
    this.if(i32.gtS(i32.sub(limit, this.#record), recordBytes), () => {
      this.emit(goTo(destination, newLimit));
    });
    this.emit(leave(Exit.Budget, destination, newLimit));
    this.#ended = true;
  }

  repeat(): void {
    const newLimit = i32.sub(limit, recordBytes);
    this.if(i32.gtS(i32.sub(limit, this.#record), recordBytes), () => {
      this.emit(goTo(this.#record, newLimit));
    });
    this.emit(leave(Exit.Budget, this.#record, newLimit));
    this.#ended = true;
  }

  branchTo(target: I64, type: BranchType = 0): void {
    this.#jump(this.let(target), this.#next, type);
    this.#ended = true;
  }

  /** Continues on the next page without counting an instruction. */
  crossPage(): void {
    this.#jump(this.let(this.imm()), this.#record);
    this.#ended = true;
  }

  /** @param spent the record up to which the budget is counted */
  #jump(target: I64, spent: I32, type: BranchType = 0): void {
    const page = this.let(i64.and(target, i64.const(-4096n)));
    const entry = this.let(
      i32.add(
        i32.load(zero, VcpuState.Itlb),
        i32.and(i32.wrap(i64.shrU(page, i64.const(7n))), i32.const((Itlb.Entries - 1) * Itlb.EntryBytes)),
      ),
    );
    const offset = i32.wrap(i64.and(target, i64.const(0xfffn)));
    const usable = i32.and(
      i32.and(i64.eq(page, i64.load(entry, Itlb.Tag)), i32.eqz(i32.and(offset, i32.const(3)))),
      i32.gtS(i32.sub(limit, spent), zero),
    );
    this.if(usable, () => {
      const destination = this.let(i32.add(i32.load(entry, Itlb.Records), i32.shl(offset, i32.const(2))));
      const go = goTo(destination, i32.add(i32.sub(limit, spent), destination));
      if (type === 0) this.emit(go);
      else this.emit(stmt.if(mayLand(entry, destination, type), go));
    });
    if (type !== 0) this.emit(i32.store(zero, i32.const(type), VcpuState.BranchType));
    this.emit(i64.store(zero, target, ContextState.Pc));
    this.emit(leave(Exit.Fetch, spent, limit));
  }

  exit(reason: Exit): void {
    this.emit(leave(reason, this.#record, limit));
    this.#ended = true;
  }

  exactly(operation: number, parameter: I32 = zero): void {
    const places = (['d', 'n', 'm', 'a'] as const).map((operand) => this.#slot(operand));
    const cost = call('i32', Import.Exact, [i32.const(operation), parameter, ...places]);
    this.emit(stmt.localSet(LIMIT, i32.sub(limit, i32.mul(cost, recordBytes))));
    // Straight-line code full of these would take too long. Whether there is a call depends on the guest only, so runs
    // end at the same instructions every time.
    this.if(i32.leS(i32.sub(limit, this.#next), zero), () => {
      this.emit(leave(Exit.Budget, this.#next, limit));
    });
  }

  isSum(a: F64, b: F64, sum: F64): I32 {
    return call('i32', Import.IsSum, [a, b, sum]);
  }
  isProduct(a: F64, b: F64, product: F64): I32 {
    return call('i32', Import.IsProduct, [a, b, product]);
  }
  areSums(bytes: 4 | 8, a: V128, b: V128, sums: V128): V128 {
    return call('v128', bytes === 4 ? Import.AreSums4 : Import.AreSums2, [a, b, sums]);
  }
  areProducts(bytes: 4 | 8, a: V128, b: V128, products: V128): V128 {
    return call('v128', bytes === 4 ? Import.AreProducts4 : Import.AreProducts2, [a, b, products]);
  }

  /** Lowers the limit of the run by the cost of a call; the called function charges the same. */
  #charge(cost: number): void {
    this.emit(stmt.localSet(LIMIT, i32.sub(limit, i32.const(cost * Record.Bytes))));
  }

  #slot(operand: RegisterOperand): I32 {
    return this.#operands.slot(operand);
  }

  #collect(body: () => void): Code {
    const start = this.code.length;
    const endedBefore = this.#ended;
    body();
    this.#ended = endedBefore;
    return this.code.splice(start);
  }
}

/** Whether an indirect branch surely may go to a record. If not, the run loop decides. */
function mayLand(entry: I32, destination: I32, type: BranchType): I32 {
  const pad = i32.const(LANDING_PAD | (1 << type));
  const landingPad = i32.eq(i32.and(i32.load16U(destination, Record.D), pad), pad);
  return i32.or(i32.eqz(i32.load(entry, Itlb.Guarded)), landingPad);
}

function goTo(destination: I32, newLimit: I32): Code {
  return returnCallIndirect(HANDLER_TYPE, [destination, newLimit], i32.load16U(destination, Record.Handler));
}

function leave(reason: Exit, at: I32, newLimit: I32): Code {
  return [
    ...i32.store(zero, at, VcpuState.ExitRecord),
    ...i32.store(zero, newLimit, VcpuState.ExitLimit),
    ...stmt.return(i32.const(reason)),
  ];
}
