import type { Stateful } from '../../device.ts';
import { PrimeCell } from '../primecell.ts';

/** SCCTRL, whose bits choose the clocks of timers and watchdogs (DDI0254, 3.3). */
const SCCTRL = 0x0;

/** An SP810 system controller: it keeps its control register, and the clocks that it would choose stay as they are. */
export class Sp810 extends PrimeCell implements Stateful<number> {
  #control = 0x9;

  constructor() {
    super({ part: 0x810, revision: 1 });
  }

  protected readRegister(offset: number): number {
    return offset === SCCTRL ? this.#control : 0;
  }

  protected writeRegister(offset: number, value: number): void {
    if (offset === SCCTRL) this.#control = value;
  }

  save(): number {
    return this.#control;
  }

  restore(control: number): void {
    this.#control = control;
  }
}
