import type { InterruptBank, StateBit } from './interrupt-bank.ts';

/** Offsets that a distributor and the SGI frame of a redistributor share (IHI0069, 12.8 and 12.11). */
const Offset = { IGROUPR: 0x80, IPRIORITYR: 0x400, ITARGETSR: 0x800, ICFGR: 0xc00, IGRPMODR: 0xd00 } as const;
/** Registers with a bit for each INTID, 0x80 bytes each. */
const BYTES_OF_BITS = 0x80;
const ENABLES = 0x100;

/** In the order of their registers, each with one that sets and one that clears. */
const setAndClear: readonly StateBit[] = ['enabled', 'latched', 'active'];

/** The registers that hold the state of a bank, as 32-bit words. */
export class StateRegisters {
  readonly #bank: InterruptBank;

  constructor(bank: InterruptBank) {
    this.#bank = bank;
  }

  /** @param offset a multiple of 4 @returns zero for a register that does not exist */
  read(offset: number): number {
    const bank = this.#bank;
    if (offset >= Offset.IGROUPR && offset < Offset.IPRIORITYR) {
      const word = this.#wordOf(offset);
      if (word < 0) return 0;
      if (offset < ENABLES) return bank.groups[word] ?? 0;
      const what = setAndClear[Math.floor((offset - ENABLES) / (2 * BYTES_OF_BITS))] ?? 'enabled';
      return what === 'latched' ? bank.pending(word) : (bank[what][word] ?? 0);
    }
    if (offset >= Offset.IPRIORITYR && offset < Offset.ITARGETSR) {
      const intid = offset - Offset.IPRIORITYR;
      if (!bank.has(intid)) return 0;
      const at = (n: number): number => bank.priority(intid + n) << (8 * n);
      return (at(0) | at(1) | at(2) | at(3)) >>> 0;
    }
    if (offset >= Offset.ICFGR && offset < Offset.IGRPMODR) {
      const intid = (offset - Offset.ICFGR) * 4;
      return bank.has(intid) ? bank.configuration(intid) : 0;
    }
    return 0;
  }

  write(offset: number, value: number): void {
    const bank = this.#bank;
    if (offset >= Offset.IGROUPR && offset < Offset.IPRIORITYR) {
      const word = this.#wordOf(offset);
      if (word < 0) return;
      if (offset < ENABLES) {
        bank.change('groups', word, ~0, value);
        return;
      }
      const block = Math.floor((offset - ENABLES) / BYTES_OF_BITS);
      const what = setAndClear[block >> 1] ?? 'enabled';
      bank.change(what, word, value, (block & 1) === 0 ? value : 0);
    } else if (offset >= Offset.IPRIORITYR && offset < Offset.ITARGETSR) {
      for (let n = 0; n < 4; n += 1) this.writePriority(offset + n, value >>> (8 * n));
    } else if (offset >= Offset.ICFGR && offset < Offset.IGRPMODR) {
      const intid = (offset - Offset.ICFGR) * 4;
      if (bank.has(intid)) bank.setConfiguration(intid, value);
    }
  }

  /** A store of a byte: only to priorities. */
  writePriority(offset: number, value: number): void {
    const intid = offset - Offset.IPRIORITYR;
    if (this.#bank.has(intid)) this.#bank.setPriority(intid, value);
  }

  /** The word of the bank that a register of bits holds, or -1. */
  #wordOf(offset: number): number {
    const intid = (offset % BYTES_OF_BITS) * 8;
    return this.#bank.has(intid) ? (intid - this.#bank.first) / 32 : -1;
  }
}
