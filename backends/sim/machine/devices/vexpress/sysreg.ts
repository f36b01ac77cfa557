import type { Clock } from '../../../cpu/index.ts';
import { type Stateful, WordRegisters } from '../../device.ts';

/** Offsets (Fast Models Reference Guide, VE_SysRegs; DUI0447, chapter 4). */
const Register = {
  ID: 0x0,
  LED: 0x8,
  HERTZ_100: 0x24,
  FLAGS: 0x30,
  FLAGS_CLEAR: 0x34,
  NV_FLAGS: 0x38,
  NV_FLAGS_CLEAR: 0x3c,
  FLASH: 0x4c,
  MEGAHERTZ_24: 0x5c,
  MISC: 0x60,
  CFGDATA: 0xa0,
  CFGCTRL: 0xa4,
  CFGSTAT: 0xa8,
} as const;

/** SYS_ID of a Base RevC model: revision 2, board 0x020, build 1, a model. */
const BASE_REVC_ID = 0x2020_1100;
/** SYS_CFGCTRL: what starts a request and its function; SYS_CFGSTAT. */
const START = 0x8000_0000;
const functionOf = (control: number): number => (control >>> 20) & 0x3f;
const Function = { SHUTDOWN: 8, REBOOT: 9 } as const;
const Outcome = { COMPLETE: 1, ERROR: 2 } as const;

interface SysregState {
  readonly stored: readonly (readonly [number, number])[];
  readonly outcome: number;
}

export interface SysregOptions {
  readonly clock: Clock;
  /** Called when the guest shuts the board down. */
  readonly shutdown: () => void;
  /** Called when the guest reboots the board. */
  readonly reset: () => void;
}

/** The system registers of a Versatile Express motherboard as the Base platform has them; other functions fail. */
export class VexpressSysreg extends WordRegisters implements Stateful<SysregState> {
  readonly #clock: Clock;
  readonly #shutdown: () => void;
  readonly #reset: () => void;
  /** LED, FLAGS, NV_FLAGS, FLASH, MISC and CFGDATA, by their offsets. */
  readonly #stored = new Map<number, number>();
  #outcome = 0;

  constructor({ clock, shutdown, reset }: SysregOptions) {
    super();
    this.#clock = clock;
    this.#shutdown = shutdown;
    this.#reset = reset;
  }

  protected readWord(offset: number): number {
    switch (offset) {
      case Register.ID:
        return BASE_REVC_ID;
      case Register.HERTZ_100:
        return Math.floor(this.#clock.now / 10_000_000) % 2 ** 32;
      case Register.MEGAHERTZ_24:
        return Math.floor((this.#clock.now * 24) / 1000) % 2 ** 32;
      case Register.CFGSTAT:
        return this.#outcome;
      default:
        return this.#stored.get(offset) ?? 0;
    }
  }

  protected writeWord(offset: number, value: number): void {
    switch (offset) {
      case Register.FLAGS:
      case Register.NV_FLAGS:
        this.#stored.set(offset, ((this.#stored.get(offset) ?? 0) | value) >>> 0);
        break;
      case Register.FLAGS_CLEAR:
      case Register.NV_FLAGS_CLEAR:
        this.#stored.set(offset - 4, ((this.#stored.get(offset - 4) ?? 0) & ~value) >>> 0);
        break;
      case Register.LED:
      case Register.FLASH:
      case Register.MISC:
      case Register.CFGDATA:
        this.#stored.set(offset, value);
        break;
      case Register.CFGSTAT:
        this.#outcome = value & (Outcome.COMPLETE | Outcome.ERROR);
        break;
      case Register.CFGCTRL:
        if ((value & START) !== 0) this.#request(functionOf(value));
        break;
    }
  }

  save(): SysregState {
    return { stored: [...this.#stored], outcome: this.#outcome };
  }

  restore({ stored, outcome }: SysregState): void {
    this.#stored.clear();
    for (const [offset, value] of stored) this.#stored.set(offset, value);
    this.#outcome = outcome;
  }

  #request(code: number): void {
    const known = code === Function.SHUTDOWN || code === Function.REBOOT;
    this.#outcome = Outcome.COMPLETE | (known ? 0 : Outcome.ERROR);
    if (code === Function.SHUTDOWN) this.#shutdown();
    if (code === Function.REBOOT) this.#reset();
  }
}
