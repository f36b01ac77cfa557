import { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from '../../../cpu/index.ts';

/** INTIDs of SGIs, PPIs and SPIs: as many as QEMU's `virt` has. */
export const INTERRUPTS = 288;
const WORDS = INTERRUPTS / 32;
/** INTIDs of a PE's own: SGIs, which are edge-triggered for good, then PPIs. */
const SGIS = 16;
export const PRIVATE_INTERRUPTS = 32;
/** The 5 bits of a priority that are implemented. */
const PRIORITY_MASK = 0xf8;

/** Bits of INTIDs: bit n of word m is INTID 32 m + n. */
function bits(): Uint32Array {
  return new Uint32Array(WORDS);
}

/** Bits that registers have for each INTID. */
export type StateBit = 'groups' | 'enabled' | 'latched' | 'active';

/** The state of all interrupts of a GIC with one PE (IHI0069, 4.1 and 4.2). */
export class InterruptState implements InterruptRouting {
  onChange: (() => void) | undefined;
  readonly groups = bits();
  readonly enabled = bits();
  /** Pending by an edge or by a write to ISPENDR. */
  readonly latched = bits();
  readonly active = bits();
  /** Levels of the inputs. */
  readonly #lines = bits();
  readonly #edges = bits();
  readonly #priorities = new Uint8Array(INTERRUPTS);
  /** Whether an SPI is routed to the PE, whose affinity is 0. */
  readonly #routes = new BigUint64Array(INTERRUPTS);
  /** Groups that the distributor forwards, bit n for group n. */
  #forwarded = 0;
  #asleep = true;

  constructor() {
    this.#edges[0] = (1 << SGIS) - 1;
  }

  get forwarded(): number {
    return this.#forwarded;
  }
  set forwarded(groups: number) {
    this.#forwarded = groups;
    this.#changed();
  }

  /** GICR_WAKER.ProcessorSleep: nothing is forwarded to the PE. */
  get asleep(): boolean {
    return this.#asleep;
  }
  set asleep(asleep: boolean) {
    this.#asleep = asleep;
    this.#changed();
  }

  /** Whether each INTID of a word is pending. */
  pending(word: number): number {
    return ((this.latched[word] ?? 0) | ((this.#lines[word] ?? 0) & ~(this.#edges[word] ?? 0))) >>> 0;
  }

  change(what: StateBit, word: number, clear: number, set: number): void {
    this[what][word] = ((this[what][word] ?? 0) & ~clear) | set;
    this.#changed();
  }

  priority(intid: number): number {
    return this.#priorities[intid] ?? 0;
  }
  setPriority(intid: number, priority: number): void {
    this.#priorities[intid] = priority & PRIORITY_MASK;
    this.#changed();
  }

  /** GICx_ICFGRn: bit 2 i + 1 is set for edge-triggered. @param register of 16 INTIDs */
  configuration(register: number): number {
    let value = 0;
    for (let n = 0; n < 16; n += 1) if (has(this.#edges, register * 16 + n)) value |= 2 << (2 * n);
    return value >>> 0;
  }
  setConfiguration(register: number, value: number): void {
    if (register === 0) return;
    for (let n = 0; n < 16; n += 1) assign(this.#edges, register * 16 + n, ((value >>> (2 * n)) & 2) !== 0);
    this.#changed();
  }

  route(intid: number): bigint {
    return this.#routes[intid] ?? 0n;
  }
  setRoute(intid: number, route: bigint): void {
    this.#routes[intid] = route;
    this.#changed();
  }

  highest(groups: number): number {
    let best = NO_INTERRUPT;
    if (this.#asleep) return best;
    const allowed = groups & this.#forwarded;
    for (let word = 0; word < WORDS; word += 1) {
      const group1 = this.groups[word] ?? 0;
      const inGroups = ((allowed & 1) === 0 ? 0 : ~group1) | ((allowed & 2) === 0 ? 0 : group1);
      let left = this.pending(word) & (this.enabled[word] ?? 0) & ~(this.active[word] ?? 0) & inGroups;
      for (; left !== 0; left &= left - 1) {
        const intid = word * 32 + 31 - Math.clz32(left & -left);
        if (intid >= PRIVATE_INTERRUPTS && this.#routes[intid] !== 0n) continue;
        if (best === NO_INTERRUPT || this.priority(intid) < this.priority(best)) best = intid;
      }
    }
    return best;
  }

  group(intid: number): InterruptGroup {
    return has(this.groups, intid) ? 1 : 0;
  }

  acknowledge(intid: number): void {
    assign(this.latched, intid, false);
    assign(this.active, intid, true);
    this.#changed();
  }

  deactivate(intid: number): void {
    assign(this.active, intid, false);
    this.#changed();
  }

  generate(intid: number, group: InterruptGroup): void {
    if (this.group(intid) !== group) return;
    assign(this.latched, intid, true);
    this.#changed();
  }

  setLevel(intid: number, level: boolean): void {
    if (has(this.#lines, intid) === level) return;
    assign(this.#lines, intid, level);
    if (level && has(this.#edges, intid)) assign(this.latched, intid, true);
    this.#changed();
  }

  #changed(): void {
    this.onChange?.();
  }
}

function has(words: Uint32Array, intid: number): boolean {
  return (((words[intid >>> 5] ?? 0) >>> (intid & 31)) & 1) !== 0;
}

/** Ignores INTIDs that do not exist. */
function assign(words: Uint32Array, intid: number, value: boolean): void {
  const bit = 1 << (intid & 31);
  const old = words[intid >>> 5] ?? 0;
  words[intid >>> 5] = value ? old | bit : old & ~bit;
}
