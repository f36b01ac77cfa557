import { type InterruptState, INTERRUPTS, PRIVATE_INTERRUPTS } from './interrupt-state.ts';
import { StateRegisters } from './state-registers.ts';

/** A frame of 64 KiB of registers, as 32-bit words; those that do not exist read as zero and ignore writes. */
export interface Frame {
  /** @param offset a multiple of 4 */
  read(offset: number): number;
  write(offset: number, value: number): void;
  /** A store of a byte. */
  writeByte(offset: number, value: number): void;
}

/** GICx_IIDR: implementer Arm. */
const IIDR = 0x43b;
/** GICx_PIDR2: ArchRev 3. */
const PIDR2 = 0x3b;
const PIDR2_OFFSET = 0xffe8;

const Gicd = { CTLR: 0x0, TYPER: 0x4, IIDR: 0x8, IROUTER: 0x6000, IROUTER_END: 0x6000 + INTERRUPTS * 8 } as const;
/** GICD_CTLR: affinity routing and one Security state, both for good; EnableGrp0 and EnableGrp1 can be written. */
const Ctlr = { EnableGroups: 3, ARE: 1 << 4, DS: 1 << 6 } as const;
/** GICD_TYPER: 16 bits of INTID, A3V, No1N, and ITLinesNumber. */
const TYPER = (15 << 19) | (1 << 24) | (1 << 25) | (INTERRUPTS / 32 - 1);
/** GICD_IROUTERn: Aff3 and Aff2 to Aff0. IRM is RES0, since No1N. */
const ROUTE = 0xff_00ff_ffffn;
const LOW = 0xffff_ffffn;

/** The distributor (IHI0069, 12.9): SPIs, with affinity routing. */
export class Distributor implements Frame {
  readonly #state: InterruptState;
  readonly #registers: StateRegisters;

  constructor(state: InterruptState) {
    this.#state = state;
    this.#registers = new StateRegisters(state, PRIVATE_INTERRUPTS, INTERRUPTS);
  }

  read(offset: number): number {
    switch (offset) {
      case Gicd.CTLR:
        return this.#state.forwarded | Ctlr.ARE | Ctlr.DS;
      case Gicd.TYPER:
        return TYPER;
      case Gicd.IIDR:
        return IIDR;
      case PIDR2_OFFSET:
        return PIDR2;
    }
    const spi = routedSpi(offset);
    if (spi === undefined) return this.#registers.read(offset);
    return Number((this.#state.route(spi) >> (offset % 8 === 0 ? 0n : 32n)) & LOW);
  }

  write(offset: number, value: number): void {
    if (offset === Gicd.CTLR) {
      this.#state.forwarded = value & Ctlr.EnableGroups;
      return;
    }
    const spi = routedSpi(offset);
    if (spi === undefined) {
      this.#registers.write(offset, value);
      return;
    }
    const half = BigInt(value >>> 0);
    const old = this.#state.route(spi);
    const route = offset % 8 === 0 ? (old & ~LOW) | half : (old & LOW) | (half << 32n);
    this.#state.setRoute(spi, route & ROUTE);
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

const Gicr = { CTLR: 0x0, IIDR: 0x4, TYPER: 0x8, WAKER: 0x14 } as const;
/** GICR_TYPER: the last redistributor, of PE 0 with affinity 0. */
const LAST = 1 << 4;
/** GICR_WAKER: ProcessorSleep, which ChildrenAsleep follows at once. */
const Waker = { ProcessorSleep: 2, ChildrenAsleep: 4 } as const;

/** The frame RD_base of a redistributor without LPIs (IHI0069, 12.11). */
export class RedistributorControl implements Frame {
  readonly #state: InterruptState;

  constructor(state: InterruptState) {
    this.#state = state;
  }

  read(offset: number): number {
    switch (offset) {
      case Gicr.IIDR:
        return IIDR;
      case Gicr.TYPER:
        return LAST;
      case Gicr.WAKER:
        return this.#state.asleep ? Waker.ProcessorSleep | Waker.ChildrenAsleep : 0;
      case PIDR2_OFFSET:
        return PIDR2;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    if (offset === Gicr.WAKER) this.#state.asleep = (value & Waker.ProcessorSleep) !== 0;
  }

  writeByte(): void {
    // No register of this frame has bytes.
  }
}

/** The frame SGI_base of a redistributor: SGIs and PPIs. */
export class RedistributorInterrupts implements Frame {
  readonly #registers: StateRegisters;

  constructor(state: InterruptState) {
    this.#registers = new StateRegisters(state, 0, PRIVATE_INTERRUPTS);
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
