import { NO_INTERRUPT } from '../../../cpu/index.ts';
import type { GuestMemory } from '../../device.ts';

/** The first LPI, and the end of those of 16 bits (GICD_TYPER.IDbits). */
export const FIRST_LPI = 8192;
export const LPI_END = 65_536;

/** A byte of the LPI configuration table (IHI0069, 5.1.1). */
const Config = { ENABLE: 1, PRIORITY: 0xf8 } as const;
/** Priorities that differ: 5 bits. */
const PRIORITY_SHIFT = 3;
const PRIORITIES = 32;

/** Fields of GICR_PROPBASER and GICR_PENDBASER, low and high word. */
const Baser = {
  IDbits: 0x1f,
  Address12: 0xffff_f000,
  Address16: 0xffff_0000,
  AddressHigh: 0xf_ffff,
  PTZ: 1 << 30,
} as const;
const WORD = 2 ** 32;

/** State of `Lpis`: plain data. */
export interface LpiState {
  readonly enabled: boolean;
  readonly registers: readonly number[];
  /** Pending LPIs with their configuration, in the order in which they are forwarded. */
  readonly pending: readonly (readonly [intid: number, config: number])[];
}

/**
 * The LPIs of one PE (IHI0069, chapter 5). Configuration is read from guest memory when an LPI becomes pending and when
 * an INV or INVALL command says that it has changed; the pending table when LPIs are enabled, for good.
 */
export class Lpis {
  readonly #memory: GuestMemory;
  readonly #changed: () => void;
  #enabled = false;
  /** GICR_PROPBASER and GICR_PENDBASER, low words first. */
  readonly #registers = new Uint32Array(4);
  #pending = new Map<number, number>();
  /** Pending and enabled LPIs by priority, in the order in which they became so. */
  #ready = Array.from({ length: PRIORITIES }, () => new Set<number>());

  /** @param changed called after each change of what may be signalled */
  constructor(memory: GuestMemory, changed: () => void) {
    this.#memory = memory;
    this.#changed = changed;
  }

  /** GICR_CTLR.EnableLPIs, which cannot be cleared (GICR_CTLR.CES). */
  get enabled(): boolean {
    return this.#enabled;
  }
  set enabled(enabled: boolean) {
    if (!enabled || this.#enabled) return;
    this.#enabled = true;
    this.#load();
    this.#changed();
  }

  /** A word of GICR_PROPBASER (0 and 1) or GICR_PENDBASER (2 and 3). PTZ reads as zero. */
  register(word: number): number {
    const value = this.#registers[word] ?? 0;
    return word === 3 ? value & ~Baser.PTZ : value;
  }
  /** Ignored while LPIs are enabled. */
  setRegister(word: number, value: number): void {
    if (!this.#enabled) this.#registers[word] = value;
  }

  /** How many are pending: what `reload` costs. */
  get count(): number {
    return this.#pending.size;
  }

  isPending(intid: number): boolean {
    return this.#pending.has(intid);
  }

  /** The one that has the highest priority; `NO_INTERRUPT` for none. */
  get highest(): number {
    const ready = this.#ready.find(({ size }) => size > 0);
    return ready?.values().next().value ?? NO_INTERRUPT;
  }

  priority(intid: number): number {
    return (this.#pending.get(intid) ?? this.#configOf(intid)) & Config.PRIORITY;
  }

  /** Makes an LPI pending; ignored if LPIs are not enabled, or the tables have no such LPI. */
  raise(intid: number): void {
    if (this.#latch(intid)) this.#changed();
  }

  /** Makes an LPI not pending. @returns whether it was */
  drop(intid: number): boolean {
    const config = this.#pending.get(intid);
    if (config === undefined) return false;
    this.#remove(intid, config);
    this.#changed();
    return true;
  }

  /** Reads the configuration of an LPI anew, or of all. */
  reload(intid?: number): void {
    const table = intid === undefined ? this.#memory.bytesAt(this.#configTable, LPI_END - FIRST_LPI) : undefined;
    for (const one of intid === undefined ? [...this.#pending.keys()] : [intid]) {
      const old = this.#pending.get(one);
      if (old === undefined) continue;
      const config = table === undefined ? this.#configOf(one) : configIn(table[one - FIRST_LPI]);
      if (config === old) continue;
      this.#remove(one, old);
      this.#add(one, config);
    }
    this.#changed();
  }

  /** All that are pending become so on another PE, which has the same configuration table. @returns what that cost */
  moveTo(other: Lpis): number {
    if (other === this) return 0;
    if (!other.#enabled) {
      this.#clear();
      this.#changed();
      return 0;
    }
    // The fewer go to the more, so that many cannot be sent to and fro.
    if (this.count > other.count) this.#exchange(other);
    const { count } = this;
    for (const [intid, config] of this.#pending) if (!other.#pending.has(intid)) other.#add(intid, config);
    this.#clear();
    this.#changed();
    other.#changed();
    return count;
  }

  save(): LpiState {
    // Those that are ready in their order, then the others.
    const ready = this.#ready.flatMap((set) => [...set]);
    const others = [...this.#pending.keys()].filter((intid) => !this.#readySet(this.#pending.get(intid)).has(intid));
    return {
      enabled: this.#enabled,
      registers: [...this.#registers],
      pending: [...ready, ...others].map((intid) => [intid, this.#pending.get(intid) ?? 0]),
    };
  }

  restore({ enabled, registers, pending }: LpiState): void {
    this.#enabled = enabled;
    this.#registers.set(registers);
    this.#clear();
    for (const [intid, config] of pending) this.#add(intid, config);
    this.#changed();
  }

  #exchange(other: Lpis): void {
    [this.#pending, other.#pending] = [other.#pending, this.#pending];
    [this.#ready, other.#ready] = [other.#ready, this.#ready];
  }

  /** @returns whether the LPI was not pending and is now */
  #latch(intid: number): boolean {
    if (!this.#enabled || !this.#exists(intid) || this.#pending.has(intid)) return false;
    this.#add(intid, this.#configOf(intid));
    return true;
  }

  #add(intid: number, config: number): void {
    this.#pending.set(intid, config);
    if ((config & Config.ENABLE) !== 0) this.#readySet(config).add(intid);
  }

  #remove(intid: number, config: number): void {
    this.#pending.delete(intid);
    this.#readySet(config).delete(intid);
  }

  #clear(): void {
    this.#pending.clear();
    for (const ready of this.#ready) ready.clear();
  }

  #readySet(config = 0): Set<number> {
    // Safe: five bits, and as many sets.
    return this.#ready[(config & 0xff) >> PRIORITY_SHIFT] as Set<number>;
  }

  #exists(intid: number): boolean {
    return intid >= FIRST_LPI && intid < Math.min(LPI_END, 2 ** (((this.#registers[0] ?? 0) & Baser.IDbits) + 1));
  }

  /** The byte of the configuration table; zero, which is disabled, for what is not in memory. */
  #configOf(intid: number): number {
    return configIn(this.#memory.bytesAt(this.#configTable + intid - FIRST_LPI, 1)?.[0]);
  }

  get #configTable(): number {
    return addressOf(this.#registers[0] ?? 0, this.#registers[1] ?? 0, Baser.Address12);
  }

  #load(): void {
    if (((this.#registers[3] ?? 0) & Baser.PTZ) !== 0) return;
    const table = addressOf(this.#registers[2] ?? 0, this.#registers[3] ?? 0, Baser.Address16);
    this.#memory.bytesAt(table + FIRST_LPI / 8, (LPI_END - FIRST_LPI) / 8)?.forEach((byte, at) => {
      for (let bit = 0; byte >>> bit !== 0; bit += 1) {
        const intid = FIRST_LPI + at * 8 + bit;
        if (((byte >>> bit) & 1) !== 0 && this.#exists(intid)) this.#add(intid, this.#configOf(intid));
      }
    });
  }
}

function configIn(byte = 0): number {
  return byte & (Config.ENABLE | Config.PRIORITY);
}

function addressOf(low: number, high: number, mask: number): number {
  return (high & Baser.AddressHigh) * WORD + ((low & mask) >>> 0);
}
