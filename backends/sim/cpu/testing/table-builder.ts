import type { Stage1Registers, TableMemory } from '../mmu/stage1-walk.ts';

/** Descriptor bits (Arm ARM, D8.3). */
export const Descriptor = {
  Block: 1n,
  Page: 3n,
  Table: 3n,
  User: 1n << 6n,
  ReadOnly: 1n << 7n,
  AccessFlag: 1n << 10n,
  NotGlobal: 1n << 11n,
  DirtyBitModifier: 1n << 51n,
  Contiguous: 1n << 52n,
  Pxn: 1n << 53n,
  Uxn: 1n << 54n,
  PxnTable: 1n << 59n,
  UxnTable: 1n << 60n,
  NoUserTable: 1n << 61n,
  ReadOnlyTable: 1n << 62n,
  attributes: (index: number): bigint => BigInt(index) << 2n,
} as const;

/** Fields of TCR_EL1. */
export const Tcr = {
  t0sz: (bits: number): bigint => BigInt(64 - bits),
  t1sz: (bits: number): bigint => BigInt(64 - bits) << 16n,
  /** By log2 of the granule. */
  tg0: { 12: 0n, 14: 2n << 14n, 16: 1n << 14n },
  tg1: { 12: 2n << 30n, 14: 1n << 30n, 16: 3n << 30n },
  ips: (code: number): bigint => BigInt(code) << 32n,
  Epd0: 1n << 7n,
  Epd1: 1n << 23n,
  Tbi0: 1n << 37n,
  Tbi1: 1n << 38n,
  Ha: 1n << 39n,
  Hd: 1n << 40n,
  Hpd0: 1n << 41n,
  Hpd1: 1n << 42n,
  E0pd0: 1n << 55n,
  E0pd1: 1n << 56n,
} as const;

/** Registers as plain fields. */
export class Registers implements Stage1Registers {
  sctlr = 1;
  tcr = 0n;
  ttbr: [bigint, bigint] = [0n, 0n];
  attributes = 0n;
  pan = false;
  epan = false;

  get tcrLow(): number {
    return Number(BigInt.asUintN(32, this.tcr)) | 0;
  }
  get tcrHigh(): number {
    return Number(this.tcr >> 32n);
  }
  ttbrLow(half: 0 | 1): number {
    return Number(BigInt.asUintN(32, this.ttbr[half]));
  }
  ttbrHigh(half: 0 | 1): number {
    return Number(this.ttbr[half] >> 32n);
  }
  mair(index: number): number {
    return Number((this.attributes >> BigInt(8 * index)) & 0xffn);
  }
}

/** Tables by address; what was not written reads as zero. */
export class Tables implements TableMemory {
  low = 0;
  high = 0;
  place = 0;
  /** Addresses that were read. */
  readonly reads: number[] = [];
  /** Addresses at which stage 2 faults. */
  readonly faults = new Set<number>();
  /** Addresses at which stage 2 permits no writes. */
  readonly readOnly = new Set<number>();
  readonly #descriptors = new Map<number, bigint>();

  get(address: number): bigint {
    return this.#descriptors.get(address) ?? 0n;
  }

  set(address: number, descriptor: bigint): void {
    this.#descriptors.set(address, descriptor);
  }

  read(ipa: number): boolean {
    this.reads.push(ipa);
    if (this.faults.has(ipa)) return false;
    this.readAt(ipa);
    return true;
  }

  readAt(place: number): void {
    this.place = place;
    const descriptor = this.get(place);
    this.low = Number(BigInt.asUintN(32, descriptor));
    this.high = Number(descriptor >> 32n);
  }

  update(ipa: number, set: number, clear: number): boolean {
    if (this.readOnly.has(ipa)) return false;
    this.set(ipa, (this.get(ipa) & ~BigInt(clear)) | BigInt(set));
    return true;
  }
}
