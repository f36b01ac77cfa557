import { type Stateful, WordRegisters } from '../../device.ts';

/** Offsets (Fast Models Reference Guide, Base_PowerController). */
const Register = { PPOFFR: 0x0, PPONR: 0x4, PCOFFR: 0x8, PWKUPR: 0xc, PSYSR: 0x10 } as const;
/** Bits of PSYSR: cluster, and core on; wake-up enabled. */
const Psysr = { L2: 0x8000_0000, L1: 0x4000_0000, L0: 0x2000_0000, WEN: 0x1000_0000 } as const;
const WAKE_ENABLE = 0x8000_0000;
/** The affinity fields of MPIDR_EL1. */
const AFFINITY = 0xff_ffff;
/** Value of PSYSR for a processor that does not exist. */
const ABSENT = 0;

interface PowerControllerState {
  readonly selected: number;
  readonly wakes: readonly number[];
}

export interface PowerControllerOptions {
  /** Whether a PE with these affinity fields is on; undefined if there is none. */
  readonly isOn: (affinity: number) => boolean | undefined;
  /** @default nothing is done: PEs are started by PSCI */
  readonly powerOn?: (affinity: number) => void;
  /** Called when the PE asks to be off at its next WFI. @default nothing is done */
  readonly powerOff?: (affinity: number) => void;
}

/** The power controller of the Base platform, which firmware at EL3 uses. */
export class PowerController extends WordRegisters implements Stateful<PowerControllerState> {
  readonly #options: PowerControllerOptions;
  #selected = 0;
  readonly #wakes = new Set<number>();

  constructor(options: PowerControllerOptions) {
    super();
    this.#options = options;
  }

  protected readWord(offset: number): number {
    if (offset !== Register.PSYSR) return 0;
    const on = this.#options.isOn(this.#selected);
    if (on === undefined) return ABSENT;
    const wakes = this.#wakes.has(this.#selected) ? Psysr.WEN : 0;
    return ((on ? Psysr.L2 | Psysr.L1 | Psysr.L0 : Psysr.L2 | Psysr.L1) | wakes) >>> 0;
  }

  protected writeWord(offset: number, value: number): void {
    const affinity = value & AFFINITY;
    const known = this.#options.isOn(affinity) !== undefined;
    switch (offset) {
      case Register.PSYSR:
        this.#selected = affinity;
        break;
      case Register.PWKUPR:
        if (!known) break;
        if ((value & WAKE_ENABLE) === 0) this.#wakes.delete(affinity);
        else this.#wakes.add(affinity);
        break;
      case Register.PPONR:
        if (known) this.#options.powerOn?.(affinity);
        break;
      case Register.PPOFFR:
      case Register.PCOFFR:
        if (known) this.#options.powerOff?.(affinity);
        break;
    }
  }

  save(): PowerControllerState {
    return { selected: this.#selected, wakes: [...this.#wakes] };
  }

  restore({ selected, wakes }: PowerControllerState): void {
    this.#selected = selected;
    this.#wakes.clear();
    for (const affinity of wakes) this.#wakes.add(affinity);
  }
}
