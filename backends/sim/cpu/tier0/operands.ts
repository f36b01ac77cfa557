import type { Decoded } from '../isa/definition.ts';
import type { RegisterOperand } from '../isa/lowering.ts';
import { Record } from '../layout.ts';
import { i32, i64, localGet, type I32, type I64 } from '../wasm/expr.ts';

/** Supplies an instruction's operands to generated code. */
export interface OperandSource {
  /** Address of the instruction's record. */
  readonly record: I32;
  /** Address of a register. */
  slot(operand: RegisterOperand): I32;
  small(): I32;
  imm(): I64;
  low(): I32;
  high(): I32;
  link(): I64;
  /** Target of a direct branch: the distance to its record if it is in the same page, else its address. */
  target(): I32 | I64;
}

/** How a record holds a direct branch: by distance or address, with or without the value of a link register. */
export type BranchForm = 'near' | 'far' | 'near-link' | 'far-link';

/** @param page address of the page that contains the branch @returns undefined if it is not a direct branch */
export function branchForm({ target, link }: Decoded, page: number): BranchForm | undefined {
  if (target === undefined) return undefined;
  const near = target >= page && target < page + 4096;
  if (link !== undefined) return near ? 'near-link' : 'far-link';
  return near ? 'near' : 'far';
}

const slotAt = { d: Record.D, n: Record.N, m: Record.M, a: Record.A, s: Record.S } as const;

const record = localGet('i32', 0);

/** Operands read from the record with which a handler is called: tier 0. */
export class RecordOperands implements OperandSource {
  readonly record = record;
  readonly #form: BranchForm;

  constructor(form: BranchForm = 'near') {
    this.#form = form;
  }

  slot(operand: RegisterOperand): I32 {
    return i32.load16U(record, slotAt[operand]);
  }
  small(): I32 {
    return i32.load16U(record, Record.Small);
  }
  imm(): I64 {
    return i64.load(record, Record.Imm);
  }
  low(): I32 {
    return i32.load(record, Record.Low);
  }
  high(): I32 {
    return i32.load(record, Record.High);
  }
  link(): I64 {
    return this.imm();
  }
  target(): I32 | I64 {
    switch (this.#form) {
      case 'near':
        return this.low();
      case 'near-link':
        return i32.load(record, Record.LinkDistance);
      case 'far':
        return this.imm();
      case 'far-link':
        return i64.add(this.link(), i64.load32S(record, Record.LinkDistance));
    }
  }
}

/** Operands that are constants when code is generated: tier 1. The record is that of the block's first instruction. */
export class ConstantOperands implements OperandSource {
  readonly record: I32;
  readonly #decoded: Decoded;
  readonly #pc: number;
  readonly #page: number;

  /**
   * @param index of the instruction in its block
   * @param pc its address
   * @param page address of its page
   */
  constructor(decoded: Decoded, index: number, pc: number, page: number) {
    this.#decoded = decoded;
    this.#pc = pc;
    this.#page = page;
    this.record = index === 0 ? record : i32.add(record, i32.const(index * Record.Bytes));
  }

  slot(operand: RegisterOperand): I32 {
    return i32.const(this.#decoded[operand] ?? 0);
  }
  small(): I32 {
    return i32.const(this.#decoded.small ?? 0);
  }
  imm(): I64 {
    return i64.const(this.#decoded.imm ?? 0n);
  }
  low(): I32 {
    return i32.const(this.#decoded.low ?? Number(BigInt.asIntN(32, this.#decoded.imm ?? 0n)));
  }
  high(): I32 {
    return i32.const(this.#decoded.high ?? Number((this.#decoded.imm ?? 0n) >> 32n));
  }
  link(): I64 {
    return i64.const(BigInt(this.#decoded.link ?? 0));
  }
  target(): I32 | I64 {
    const target = this.#decoded.target ?? 0;
    const form = branchForm(this.#decoded, this.#page);
    return form === 'near' || form === 'near-link'
      ? i32.const(((target - this.#pc) / 4) * Record.Bytes)
      : i64.const(BigInt(target));
  }
}
