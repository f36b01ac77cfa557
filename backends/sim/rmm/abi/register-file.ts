/**
 * Consecutive 64-bit registers from X0 on, accessed as numbers: a bigint costs an allocation, and no value that the RMM
 * uses needs more than 53 bits.
 */
export class RegisterFile {
  #view: DataView;
  #offset: number;

  /** @param offset of X0 in the view */
  constructor(view: DataView, offset: number) {
    this.#view = view;
    this.#offset = offset;
  }

  static over(x: BigUint64Array): RegisterFile {
    return new RegisterFile(new DataView(x.buffer, x.byteOffset, x.byteLength), 0);
  }

  /** For registers whose place changes: those of the CPU's active context. */
  moveTo(offset: number): void {
    this.#offset = offset;
  }

  /** Xn if it is below 2^52, else -1, which is not a valid address, index or count. */
  get(n: number): number {
    return readNumber(this.#view, this.#offset + n * 8);
  }

  /** Xn[31:0]. */
  low(n: number): number {
    return this.#view.getUint32(this.#offset + n * 8, true);
  }

  /** Xn[63:32]. */
  high(n: number): number {
    return this.#view.getUint32(this.#offset + n * 8 + 4, true);
  }

  big(n: number): bigint {
    return this.#view.getBigUint64(this.#offset + n * 8, true);
  }

  /** @param value an integer of at most 53 bits; negative ones are sign-extended */
  set(n: number, value: number): void {
    writeNumber(this.#view, this.#offset + n * 8, value);
  }

  /** X0 to X3 of an answer; the other registers are kept, as in TF-RMM. */
  setResults(x0: number, x1 = 0, x2 = 0, x3 = 0): void {
    this.set(0, x0);
    this.set(1, x1);
    this.set(2, x2);
    this.set(3, x3);
  }

  setBig(n: number, value: bigint): void {
    this.#view.setBigUint64(this.#offset + n * 8, value, true);
  }
}

/** A 64-bit integer in memory if it is below 2^52, else -1. */
export function readNumber(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  if (high >= 0x10_0000) return -1;
  return high * 0x1_0000_0000 + view.getUint32(offset, true);
}

/** @param value an integer of at most 53 bits; negative ones are sign-extended */
export function writeNumber(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000) >>> 0, true);
}

/** Copies 8 bytes. For so few, the call of copyWithin would cost more than the copy. */
export function copyDoubleword(view: DataView, target: number, source: number): void {
  view.setUint32(target, view.getUint32(source, true), true);
  view.setUint32(target + 4, view.getUint32(source + 4, true), true);
}
