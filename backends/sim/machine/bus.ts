import type { AccessBytes, Device } from './device.ts';

/** A range of physical addresses. */
export interface Window {
  readonly base: number;
  readonly bytes: number;
}

interface Attached extends Window {
  readonly device: Device;
}

/** An access that no device serves. */
export interface UnknownAccess {
  readonly address: number;
  readonly bytes: AccessBytes;
  readonly write: boolean;
}

export interface BusOptions {
  /** What 32 bits read as where no device is. @default 0 */
  readonly unknown?: number;
  /** Called for the first read and the first write of each 4 KiB page without a device, up to a limit. */
  readonly onUnknown?: (access: UnknownAccess) => void;
}

const PAGE_BYTES = 4096;
/** Pages to remember: a guest can access as many as it likes. */
const MAX_REMEMBERED = 4096;

/** The devices of a machine by physical address. */
export class Bus {
  readonly #unknown: number;
  readonly #onUnknown: BusOptions['onUnknown'];
  /** Sorted by address. */
  readonly #attached: Attached[] = [];
  #last: Attached | undefined;
  readonly #reported = new Set<number>();

  constructor({ unknown = 0, onUnknown }: BusOptions = {}) {
    this.#unknown = unknown;
    this.#onUnknown = onUnknown;
  }

  /** @throws RangeError if another device is in the window */
  attach({ base, bytes }: Window, device: Device): void {
    const at = this.#attached.findIndex((other) => other.base >= base);
    const place = at < 0 ? this.#attached.length : at;
    const before = this.#attached[place - 1];
    const after = this.#attached[place];
    if ((before !== undefined && before.base + before.bytes > base) || (after && after.base < base + bytes)) {
      throw new RangeError(`another device is at 0x${base.toString(16)}`);
    }
    this.#attached.splice(place, 0, { base, bytes, device });
  }

  /** Whether a device is at an address. */
  contains(address: number): boolean {
    return this.#find(address) !== undefined;
  }

  /** Reads at most 32 bits, in the low bits of what it returns; misaligned accesses are unknown. */
  read(address: number, bytes: 1 | 2 | 4): number {
    const found = this.#find(address);
    if (found === undefined || address % bytes !== 0) return this.#unknownRead(address, bytes);
    return found.device.read(address - found.base, bytes);
  }

  /** @param low bits 31:0, zero-extended from `bytes` @param high bits 63:32; zero unless `bytes` is 8 */
  write(address: number, bytes: AccessBytes, low: number, high: number): void {
    const found = this.#find(address);
    if (found === undefined || address % bytes !== 0) this.#report({ address, bytes, write: true });
    else found.device.write(address - found.base, bytes, low, high);
  }

  #find(address: number): Attached | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.base && address < last.base + last.bytes) return last;
    let low = 0;
    let high = this.#attached.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#attached[middle]?.base ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#attached[low - 1];
    if (found === undefined || address >= found.base + found.bytes) return undefined;
    this.#last = found;
    return found;
  }

  #unknownRead(address: number, bytes: 1 | 2 | 4): number {
    this.#report({ address, bytes, write: false });
    return this.#unknown;
  }

  #report(access: UnknownAccess): void {
    if (this.#onUnknown === undefined || this.#reported.size >= MAX_REMEMBERED) return;
    const key = Math.floor(access.address / PAGE_BYTES) * 2 + Number(access.write);
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#onUnknown(access);
  }
}
