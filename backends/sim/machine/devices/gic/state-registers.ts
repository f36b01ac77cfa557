import { type InterruptState, INTERRUPTS, type StateBit } from './interrupt-state.ts';

/** Offsets that a distributor and the SGI frame of a redistributor share (IHI0069, 12.8 and 12.11). */
const Offset = { IGROUPR: 0x80, IPRIORITYR: 0x400, ITARGETSR: 0x800, ICFGR: 0xc00, IGRPMODR: 0xd00 } as const;
/** Registers with a bit for each INTID, 0x80 bytes each. */
const BYTES_OF_BITS = 0x80;
const ENABLES = 0x100;

/** In the order of their registers, each with one that sets and one that clears. */
const setAndClear: readonly StateBit[] = ['enabled', 'latched', 'active'];

/** The registers that hold the state of some INTIDs, as 32-bit words. */
export class StateRegisters {
  readonly #state: InterruptState;
  readonly #first: number;
  readonly #end: number;

  /** @param first a multiple of 32, the INTID from which on a frame has them, @param end the INTID before which */
  constructor(state: InterruptState, first: number, end: number) {
    this.#state = state;
    this.#first = first;
    this.#end = Math.min(end, INTERRUPTS);
  }

  /** @param offset a multiple of 4 @returns zero for a register that does not exist */
  read(offset: number): number {
    const state = this.#state;
    if (offset >= Offset.IGROUPR && offset < Offset.IPRIORITYR) {
      const word = (offset % BYTES_OF_BITS) / 4;
      if (!this.#has(word * 32)) return 0;
      if (offset < ENABLES) return state.groups[word] ?? 0;
      const what = setAndClear[Math.floor((offset - ENABLES) / (2 * BYTES_OF_BITS))] ?? 'enabled';
      return what === 'latched' ? state.pending(word) : (state[what][word] ?? 0);
    }
    if (offset >= Offset.IPRIORITYR && offset < Offset.ITARGETSR) {
      const intid = offset - Offset.IPRIORITYR;
      if (!this.#has(intid)) return 0;
      const at = (n: number): number => state.priority(intid + n) << (8 * n);
      return (at(0) | at(1) | at(2) | at(3)) >>> 0;
    }
    if (offset >= Offset.ICFGR && offset < Offset.IGRPMODR) {
      const register = (offset - Offset.ICFGR) / 4;
      return this.#has(register * 16) ? state.configuration(register) : 0;
    }
    return 0;
  }

  write(offset: number, value: number): void {
    const state = this.#state;
    if (offset >= Offset.IGROUPR && offset < Offset.IPRIORITYR) {
      const word = (offset % BYTES_OF_BITS) / 4;
      if (!this.#has(word * 32)) return;
      if (offset < ENABLES) {
        state.change('groups', word, ~0, value);
        return;
      }
      const block = Math.floor((offset - ENABLES) / BYTES_OF_BITS);
      const what = setAndClear[block >> 1] ?? 'enabled';
      state.change(what, word, value, (block & 1) === 0 ? value : 0);
    } else if (offset >= Offset.IPRIORITYR && offset < Offset.ITARGETSR) {
      for (let n = 0; n < 4; n += 1) this.writePriority(offset + n, value >>> (8 * n));
    } else if (offset >= Offset.ICFGR && offset < Offset.IGRPMODR) {
      const register = (offset - Offset.ICFGR) / 4;
      if (this.#has(register * 16)) state.setConfiguration(register, value);
    }
  }

  /** A store of a byte: only to priorities. */
  writePriority(offset: number, value: number): void {
    const intid = offset - Offset.IPRIORITYR;
    if (intid >= 0 && this.#has(intid)) this.#state.setPriority(intid, value);
  }

  #has(intid: number): boolean {
    return intid >= this.#first && intid < this.#end;
  }
}
