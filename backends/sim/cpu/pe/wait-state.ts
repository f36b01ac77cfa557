import type { LinearMemory } from '../linear-memory.ts';
import { counterAt, timeOf } from './generic-timer.ts';

/** CNTKCTL_EL1: the event stream of the virtual counter (Arm ARM, D12.2.4). */
const Cntkctl = { EVNTEN: 1 << 2, EVNTDIR: 1 << 3, EVNTI_SHIFT: 4, EVNTIS: 1 << 17 } as const;
/** Bits by which EVNTIS moves the trigger bit. */
const EVNTIS_STEP = 8;

/** Bytes of the reservation granule: CTR_EL0.ERG. */
const GRANULE = 64;
/**
 * Longest wait for the memory of an armed monitor to change, in nanoseconds. A store of the value that is there already
 * is an event too, and cannot be seen: WFE may complete without an event (Arm ARM, D1.6.1), so it does after this time.
 */
const MONITOR_WAIT = 100_000;

/** State of a `WaitState`: plain data. */
export interface WaitSnapshot {
  readonly kind: 'wfi' | 'wfe';
  readonly until: number;
  readonly event: boolean;
  readonly granule: number;
  readonly contents: Uint8Array;
}

/** WFI, WFE and the Event Register of a PE (Arm ARM, D1.6). */
export class WaitState {
  /** What the PE waited for last. */
  kind: 'wfi' | 'wfe' = 'wfi';
  /** Guest time at which the wait is over in any case. */
  until = Infinity;
  /** The Event Register. */
  event = false;
  readonly #memory: LinearMemory;
  /** Offset of the reservation granule that the PE had marked for exclusive access, or -1. */
  #granule = -1;
  readonly #contents = new Uint8Array(GRANULE);

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** WFI: the PE waits for an interrupt. @param until see above */
  forInterrupt(until = Infinity): void {
    this.kind = 'wfi';
    this.until = until;
    this.#granule = -1;
  }

  /**
   * WFE with a clear Event Register.
   *
   * @param monitored offset of the byte that the exclusive monitor marks, or -1 in its Open Access state
   * @param now guest time @param cntkctl CNTKCTL_EL1 @param until see above
   */
  forEvent(monitored: number, now: number, cntkctl: number, until = Infinity): void {
    this.kind = 'wfe';
    this.until = Math.min(until, nextOfStream(cntkctl, now), monitored < 0 ? Infinity : now + MONITOR_WAIT);
    this.#granule = monitored < 0 ? -1 : monitored - (monitored % GRANULE);
    if (this.#granule >= 0) this.#contents.set(this.#marked);
  }

  /** Whether an event ends the wait: one that was sent, or a store to what the exclusive monitor had marked. */
  get signalled(): boolean {
    return this.event || (this.#granule >= 0 && !sameBytes(this.#marked, this.#contents));
  }

  /** The PE runs on. A wait for an event takes the event. */
  end(): void {
    if (this.kind === 'wfe') this.event = false;
    this.forInterrupt();
  }

  save(): WaitSnapshot {
    const { kind, until, event } = this;
    return { kind, until, event, granule: this.#granule, contents: this.#contents.slice() };
  }

  restore({ kind, until, event, granule, contents }: WaitSnapshot): void {
    this.kind = kind;
    this.until = until;
    this.event = event;
    this.#granule = granule;
    this.#contents.set(contents);
  }

  get #marked(): Uint8Array {
    return this.#memory.u8.subarray(this.#granule, this.#granule + GRANULE);
  }
}

/** When the event stream makes its next event; Infinity if it is off. */
function nextOfStream(cntkctl: number, now: number): number {
  if ((cntkctl & Cntkctl.EVNTEN) === 0) return Infinity;
  const bit = ((cntkctl >>> Cntkctl.EVNTI_SHIFT) & 15) + ((cntkctl & Cntkctl.EVNTIS) === 0 ? 0 : EVNTIS_STEP);
  const half = 2 ** bit;
  // Bit n rises at odd multiples of 2^n and falls at even ones.
  const phase = (cntkctl & Cntkctl.EVNTDIR) === 0 ? half : 0;
  return timeOf((Math.floor((counterAt(now) - phase) / (2 * half)) + 1) * 2 * half + phase);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let n = 0; n < a.length; n += 1) if (a[n] !== b[n]) return false;
  return true;
}
