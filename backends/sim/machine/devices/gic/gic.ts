import type { InterruptRouting } from '../../../cpu/index.ts';
import type { Bus } from '../../bus.ts';
import type { InterruptLine } from '../../device.ts';
import { Distributor, type Frame, RedistributorControl, RedistributorInterrupts } from './frames.ts';
import { InterruptState, PRIVATE_INTERRUPTS } from './interrupt-state.ts';

const FRAME_BYTES = 0x1_0000;

/** Where QEMU's `virt` has the distributor and the redistributor of the first PE. */
export const VIRT_GIC = { distributor: 0x0800_0000, redistributor: 0x080a_0000 } as const;

/** GICv3 of a machine with one PE, without LPIs and with one Security state: its memory-mapped registers. */
export class Gic {
  readonly #state = new InterruptState();
  readonly #frames: ReadonlyMap<number, Frame>;

  /** @param map addresses of the frames, multiples of 64 KiB */
  constructor(map: { readonly distributor: number; readonly redistributor: number }) {
    this.#frames = new Map<number, Frame>([
      [map.distributor, new Distributor(this.#state)],
      [map.redistributor, new RedistributorControl(this.#state)],
      [map.redistributor + FRAME_BYTES, new RedistributorInterrupts(this.#state)],
    ]);
  }

  /** What the CPU interface is connected to. */
  get routing(): InterruptRouting {
    return this.#state;
  }

  /** The input of a shared peripheral interrupt. @param spi its number in a device tree: INTID - 32 */
  spi(spi: number): InterruptLine {
    return {
      set: (level) => {
        this.#state.setLevel(PRIVATE_INTERRUPTS + spi, level);
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
}

function frameOf(address: number): number {
  return address - (address % FRAME_BYTES);
}
