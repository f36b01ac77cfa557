import type { Clock, InterruptRouting } from '../../../cpu/index.ts';
import type { Bus } from '../../bus.ts';
import type { GuestMemory, InterruptLine, Stateful } from '../../device.ts';
import type { Frame } from './frame.ts';
import { Distributor, RedistributorControl, RedistributorInterrupts } from './frames.ts';
import { PRIVATE_INTERRUPTS } from './interrupt-bank.ts';
import { Its, type ItsState, translationFrame } from './its.ts';
import { Lpis } from './lpis.ts';
import { Redistributor, type RedistributorState } from './redistributor.ts';
import { SharedInterrupts, type SharedState } from './shared-interrupts.ts';

const FRAME_BYTES = 0x1_0000;

/** Where QEMU's `virt` has the distributor and the redistributor of the first PE. */
export const VIRT_GIC = { distributor: 0x0800_0000, redistributor: 0x080a_0000 } as const;

/** Addresses of frames, multiples of 64 KiB. */
export interface GicMap {
  readonly distributor: number;
  /** Of the first PE; those of the others follow, 128 KiB each. */
  readonly redistributor: number;
}

/** State of a `Gic`: plain data. */
export interface GicState {
  readonly shared: SharedState;
  readonly redistributors: readonly RedistributorState[];
  readonly its?: ItsState;
}

/** What an Interrupt Translation Service needs. */
export interface ItsOptions {
  /** Address of its two frames, a multiple of 64 KiB. */
  readonly base: number;
  /** Where its tables and its queue are. */
  readonly memory: GuestMemory;
  readonly clock: Clock;
}

/** GICv3 of a machine, with one Security state: its memory-mapped registers. */
export class Gic implements Stateful<GicState> {
  readonly #shared: SharedInterrupts;
  readonly #redistributors: readonly Redistributor[];
  readonly #frames = new Map<number, Frame>();
  readonly #its: Its | undefined;

  /** @param affinities of the PEs, as in MPIDR_EL1 @param its without it there are no LPIs */
  constructor(map: GicMap, affinities: readonly number[] = [0], its?: ItsOptions) {
    const redistributors: Redistributor[] = [];
    this.#redistributors = redistributors;
    this.#shared = new SharedInterrupts(redistributors);
    const parts = { shared: this.#shared, redistributors };
    this.#frames.set(map.distributor, new Distributor(this.#shared, its !== undefined));
    const makeLpis = its && ((changed: () => void): Lpis => new Lpis(its.memory, changed));
    affinities.forEach((affinity, index) => {
      const redistributor = new Redistributor(affinity, parts, makeLpis);
      redistributors.push(redistributor);
      const base = map.redistributor + index * 2 * FRAME_BYTES;
      const last = index === affinities.length - 1;
      this.#frames.set(base, new RedistributorControl(redistributor, index, last));
      this.#frames.set(base + FRAME_BYTES, new RedistributorInterrupts(redistributor));
    });
    if (its === undefined) return;
    const lpis = redistributors.flatMap((redistributor) => redistributor.lpis ?? []);
    this.#its = new Its(its.memory, its.clock, lpis);
    this.#frames.set(its.base, this.#its);
    this.#frames.set(its.base + FRAME_BYTES, translationFrame);
  }

  /** A write of a device to GITS_TRANSLATER; ignored without an ITS. @param device its DeviceID @param event EventID */
  signalMessage(device: number, event: number): void {
    this.#its?.signal(device, event);
  }

  /** What the CPU interface of a PE is connected to. @throws RangeError if there is no such PE */
  pe(index: number): InterruptRouting {
    const redistributor = this.#redistributors[index];
    if (redistributor === undefined) throw new RangeError(`the GIC has no PE ${String(index)}`);
    return redistributor;
  }

  /** Wakes all redistributors, as firmware of EL3 does before it starts what relies on it, such as EDK2. */
  wake(): void {
    for (const redistributor of this.#redistributors) redistributor.asleep = false;
  }

  /** The input of a shared peripheral interrupt. @param spi its number in a device tree: INTID - 32 */
  spi(spi: number): InterruptLine {
    const { bank } = this.#shared;
    return {
      set: (level) => {
        bank.setLevel(PRIVATE_INTERRUPTS + spi, level);
      },
    };
  }

  /** Puts the register frames on a bus. */
  attach(bus: Bus): void {
    for (const base of this.#frames.keys()) {
      bus.attach(
        { base, bytes: FRAME_BYTES },
        {
          read: (offset) => this.read(base + offset) >>> (8 * (offset % 4)),
          write: (offset, bytes, low, high) => {
            this.write(base + offset, bytes, low, high);
          },
        },
      );
    }
  }

  /** Whether there is a register frame at an address. */
  contains(address: number): boolean {
    return this.#frames.has(frameOf(address));
  }

  /**
   * Reads 32 bits from an address that `contains` accepted, rounded down to a multiple of 4; what is not a register
   * reads as zero.
   */
  read(address: number): number {
    const offset = address % FRAME_BYTES;
    return this.#frames.get(frameOf(address))?.read(offset - (offset % 4)) ?? 0;
  }

  /** Writes 1, 2, 4 or 8 bytes. A size that a register does not support, or a misaligned write, is ignored. */
  write(address: number, bytes: number, low: number, high: number): void {
    const frame = this.#frames.get(frameOf(address));
    const offset = address % FRAME_BYTES;
    if (frame === undefined || offset % bytes !== 0) return;
    if (bytes === 1) frame.writeByte(offset, low);
    if (bytes < 4) return;
    frame.write(offset, low);
    if (bytes === 8) frame.write(offset + 4, high);
  }

  save(): GicState {
    return {
      shared: this.#shared.save(),
      redistributors: this.#redistributors.map((one) => one.save()),
      ...(this.#its && { its: this.#its.save() }),
    };
  }

  /** @param state of a GIC with as many PEs, and an ITS if it had one */
  restore({ shared, redistributors, its }: GicState): void {
    if (its !== undefined) this.#its?.restore(its);
    redistributors.forEach((state, index) => this.#redistributors[index]?.restore(state));
    this.#shared.restore(shared);
  }
}

function frameOf(address: number): number {
  return address - (address % FRAME_BYTES);
}
