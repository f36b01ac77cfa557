import { type Frame, IIDR, PIDR2, PIDR2_OFFSET } from './frame.ts';
import { INTERRUPTS, PRIVATE_INTERRUPTS } from './interrupt-bank.ts';
import type { Redistributor } from './redistributor.ts';
import type { SharedInterrupts } from './shared-interrupts.ts';
import { StateRegisters } from './state-registers.ts';

const Gicd = { CTLR: 0x0, TYPER: 0x4, IIDR: 0x8, IROUTER: 0x6000, IROUTER_END: 0x6000 + INTERRUPTS * 8 } as const;
/** GICD_CTLR: affinity routing and one Security state, both for good; EnableGrp0 and EnableGrp1 can be written. */
const Ctlr = { EnableGroups: 3, ARE: 1 << 4, DS: 1 << 6 } as const;
/** GICD_TYPER: 16 bits of INTID, A3V, and ITLinesNumber. */
const TYPER = (15 << 19) | (1 << 24) | (INTERRUPTS / 32 - 1);
/** GICD_TYPER: LPIs. */
const LPIS = 1 << 17;
/** GICD_TYPER: no SPI can be for any PE. */
const NO_1_OF_N = 1 << 25;

/** The distributor (IHI0069, 12.9): SPIs, with affinity routing. */
export class Distributor implements Frame {
  readonly #shared: SharedInterrupts;
  readonly #registers: StateRegisters;
  readonly #typer: number;

  constructor(shared: SharedInterrupts, hasLpis: boolean) {
    this.#shared = shared;
    this.#typer = TYPER | (hasLpis ? LPIS : 0) | (shared.oneOfN ? 0 : NO_1_OF_N);
    this.#registers = new StateRegisters(shared.bank);
  }

  read(offset: number): number {
    switch (offset) {
      case Gicd.CTLR:
        return this.#shared.forwarded | Ctlr.ARE | Ctlr.DS;
      case Gicd.TYPER:
        return this.#typer;
      case Gicd.IIDR:
        return IIDR;
      case PIDR2_OFFSET:
        return PIDR2;
    }
    const spi = routedSpi(offset);
    return spi === undefined ? this.#registers.read(offset) : this.#shared.route(spi, offset % 8 !== 0);
  }

  write(offset: number, value: number): void {
    const spi = routedSpi(offset);
    if (offset === Gicd.CTLR) this.#shared.forwarded = value & Ctlr.EnableGroups;
    else if (spi === undefined) this.#registers.write(offset, value);
    else this.#shared.setRoute(spi, offset % 8 !== 0, value);
  }

  writeByte(offset: number, value: number): void {
    this.#registers.writePriority(offset, value);
  }
}

/** The SPI whose GICD_IROUTERn is at an offset. */
function routedSpi(offset: number): number | undefined {
  if (offset < Gicd.IROUTER + PRIVATE_INTERRUPTS * 8 || offset >= Gicd.IROUTER_END) return undefined;
  return Math.floor((offset - Gicd.IROUTER) / 8);
}

const Gicr = { CTLR: 0x0, IIDR: 0x4, TYPER: 0x8, TYPER_HIGH: 0xc, WAKER: 0x14, PROPBASER: 0x70 } as const;
/** GICR_CTLR.EnableLPIs. */
const ENABLE_LPIS = 1;
/** GICR_TYPER.PLPIS: physical LPIs. */
const PLPIS = 1;
/** GICR_TYPER: the last of contiguous redistributors; Processor_Number is in bits 23:8, the affinity in bits 63:32. */
const LAST = 1 << 4;
/** GICR_WAKER: ProcessorSleep, which ChildrenAsleep follows at once. */
const Waker = { ProcessorSleep: 2, ChildrenAsleep: 4 } as const;

/** The frame RD_base of a redistributor (IHI0069, 12.11). */
export class RedistributorControl implements Frame {
  readonly #redistributor: Redistributor;
  readonly #typer: number;

  /** @param index its number among contiguous ones @param last whether it is the last of them */
  constructor(redistributor: Redistributor, index: number, last: boolean) {
    this.#redistributor = redistributor;
    this.#typer = (index << 8) | (last ? LAST : 0) | (redistributor.lpis === undefined ? 0 : PLPIS);
  }

  read(offset: number): number {
    switch (offset) {
      case Gicr.CTLR:
        return this.#redistributor.lpis?.enabled === true ? ENABLE_LPIS : 0;
      case Gicr.IIDR:
        return IIDR;
      case Gicr.TYPER:
        return this.#typer;
      case Gicr.TYPER_HIGH: {
        // Affinity_Value is Aff3 to Aff0, without the gap that MPIDR_EL1 has.
        const { affinity } = this.#redistributor;
        return (Math.floor(affinity / 2 ** 32) * 2 ** 24 + (affinity % 2 ** 24)) >>> 0;
      }
      case Gicr.WAKER:
        return this.#redistributor.asleep ? Waker.ProcessorSleep | Waker.ChildrenAsleep : 0;
      case PIDR2_OFFSET:
        return PIDR2;
      default:
        return this.#redistributor.lpis?.register((offset - Gicr.PROPBASER) / 4) ?? 0;
    }
  }

  write(offset: number, value: number): void {
    const { lpis } = this.#redistributor;
    if (offset === Gicr.WAKER) this.#redistributor.asleep = (value & Waker.ProcessorSleep) !== 0;
    else if (lpis === undefined) return;
    else if (offset === Gicr.CTLR) lpis.enabled = (value & ENABLE_LPIS) !== 0;
    else lpis.setRegister((offset - Gicr.PROPBASER) / 4, value);
  }

  writeByte(): void {
    // No register of this frame has bytes.
  }
}

/** The frame SGI_base of a redistributor: SGIs and PPIs. */
export class RedistributorInterrupts implements Frame {
  readonly #registers: StateRegisters;

  constructor({ bank }: Redistributor) {
    this.#registers = new StateRegisters(bank);
  }

  read(offset: number): number {
    return this.#registers.read(offset);
  }

  write(offset: number, value: number): void {
    this.#registers.write(offset, value);
  }

  writeByte(offset: number, value: number): void {
    this.#registers.writePriority(offset, value);
  }
}
