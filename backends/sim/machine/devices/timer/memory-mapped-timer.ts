import { type Clock, COUNTER_FREQUENCY, counterAt } from '../../../cpu/index.ts';
import { type Device, type InterruptLine, RegisterFrame, type Stateful } from '../../device.ts';
import { FrameTimer, type FrameTimerState } from './frame-timer.ts';

const WORD = 2 ** 32;
const HERTZ = Number(COUNTER_FREQUENCY);

/** CNTControlBase (Arm ARM, I5.7). */
const Control = { CNTCR: 0x0, CNTSR: 0x4, CNTCV: 0x8, CNTFID0: 0x20 } as const;
/** CNTCR.EN and HDBG; CNTSR has the frequency that was chosen in FCACK, which is the only one. */
const CNTCR_BITS = 3;
const FREQUENCY_0 = 1 << 8;

/** CNTCTLBase. */
const Ctl = { CNTFRQ: 0x0, CNTNSAR: 0x4, CNTTIDR: 0x8, CNTACR: 0x40 } as const;
/** CNTACRn: RPCT, RVCT, RFRQ, RVOFF, RWVT, RWPT. */
const CNTACR_BITS = 0x3f;

/** CNTBaseN. */
const Base = { CNTPCT: 0x0, CNTVCT: 0x8, CNTFRQ: 0x10, CNTP: 0x20, CNTP_END: 0x30 } as const;

interface MemoryMappedTimerState {
  readonly control: number;
  readonly access: readonly number[];
  readonly timers: readonly FrameTimerState[];
}

export interface MemoryMappedTimerOptions {
  readonly clock: Clock;
  /** Of the physical timer of each CNTBaseN frame, from CNTBase0 on; at most 8. */
  readonly interrupts: readonly InterruptLine[];
}

/**
 * The memory-mapped counter and timers (Arm ARM, I2): frames without a virtual timer. The counter is the one of the
 * processors. It always runs: CNTCR is kept and changes nothing, and writes to CNTCV are ignored.
 */
export class MemoryMappedTimer implements Stateful<MemoryMappedTimerState> {
  readonly controlBase: Device;
  readonly readBase: Device;
  readonly ctlBase: Device;
  readonly bases: readonly Device[];
  readonly #clock: Clock;
  readonly #timers: readonly FrameTimer[];
  readonly #access: number[];
  #control = 1;

  constructor({ clock, interrupts }: MemoryMappedTimerOptions) {
    this.#clock = clock;
    this.#timers = interrupts.map((interrupt) => new FrameTimer(clock, interrupt));
    this.#access = interrupts.map(() => CNTACR_BITS);
    this.controlBase = new RegisterFrame(
      (offset) => this.#readControl(offset),
      (offset, value) => {
        if (offset === Control.CNTCR) this.#control = value & CNTCR_BITS;
      },
    );
    this.readBase = new RegisterFrame(
      (offset) => (offset < 8 ? this.#counter(offset) : 0),
      () => undefined,
    );
    this.ctlBase = new RegisterFrame(
      (offset) => this.#readCtl(offset),
      (offset, value) => {
        const index = (offset - Ctl.CNTACR) / 4;
        if (index in this.#access) this.#access[index] = value & CNTACR_BITS;
      },
    );
    this.bases = this.#timers.map(
      (timer) =>
        new RegisterFrame(
          (offset) => this.#readBase(timer, offset),
          (offset, value) => {
            if (offset >= Base.CNTP && offset < Base.CNTP_END) timer.write(offset - Base.CNTP, value);
          },
        ),
    );
  }

  save(): MemoryMappedTimerState {
    return { control: this.#control, access: [...this.#access], timers: this.#timers.map((timer) => timer.save()) };
  }

  restore({ control, access, timers }: MemoryMappedTimerState): void {
    this.#control = control;
    this.#access.splice(0, access.length, ...access);
    for (const [index, timer] of timers.entries()) this.#timers[index]?.restore(timer);
  }

  #counter(offset: number): number {
    const count = counterAt(this.#clock.now);
    return offset % 8 === 0 ? count % WORD : Math.floor(count / WORD);
  }

  #readControl(offset: number): number {
    switch (offset) {
      case Control.CNTCR:
        return this.#control | FREQUENCY_0;
      case Control.CNTSR:
        return FREQUENCY_0;
      case Control.CNTCV:
      case Control.CNTCV + 4:
        return this.#counter(offset);
      case Control.CNTFID0:
        return HERTZ;
      default:
        return 0;
    }
  }

  #readCtl(offset: number): number {
    switch (offset) {
      case Ctl.CNTFRQ:
        return HERTZ;
      case Ctl.CNTNSAR:
        return (1 << this.#timers.length) - 1;
      case Ctl.CNTTIDR:
        // FIn of each frame.
        return this.#timers.reduce((value, _, index) => value | (1 << (4 * index)), 0);
      default:
        return this.#access[(offset - Ctl.CNTACR) / 4] ?? 0;
    }
  }

  #readBase(timer: FrameTimer, offset: number): number {
    if (offset < Base.CNTFRQ) return this.#counter(offset);
    if (offset === Base.CNTFRQ) return HERTZ;
    return offset >= Base.CNTP && offset < Base.CNTP_END ? timer.read(offset - Base.CNTP) : 0;
  }
}
