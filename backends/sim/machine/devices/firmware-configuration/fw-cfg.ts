import type { AccessBytes, Device, GuestMemory, Stateful } from '../../device.ts';

/** Offsets (QEMU, docs/specs/fw_cfg.rst). */
const Register = { DATA: 0, SELECTOR: 8, DMA_HIGH: 16, DMA_LOW: 20 } as const;
const DATA_BYTES = 8;

/** Keys of items that are no files. */
const Key = { SIGNATURE: 0, ID: 1, NB_CPUS: 5, MAX_CPUS: 0xf, FILE_DIR: 0x19, FIRST_FILE: 0x20 } as const;
/** The traditional and the DMA interface. */
const FEATURES = 3;
const KEY_BITS = 0x3fff;
const FILE_NAME_BYTES = 56;
const FILE_ENTRY_BYTES = 64;

/** FWCfgDmaAccess: three big-endian fields. */
const Dma = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16, BYTES: 16 } as const;
/** What the register of the DMA address reads as: "QEMU CFG". */
const DMA_SIGNATURE = [0x5145_4d55, 0x2043_4647] as const;

interface FwCfgState {
  readonly key: number;
  readonly offset: number;
  readonly addressHigh: number;
}

export interface FwCfgOptions {
  readonly memory: GuestMemory;
  readonly vcpus: number;
  /** Files by name, which never change. @default none */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Items by key that are no files, such as the kernel. @default none */
  readonly items?: ReadonlyMap<number, Uint8Array>;
}

/**
 * QEMU's device by which firmware asks how the machine is configured (docs/specs/fw_cfg.rst), with DMA, which completes
 * at once. Its items cannot be written to.
 */
export class FwCfg implements Device, Stateful<FwCfgState> {
  readonly #memory: GuestMemory;
  readonly #items: ReadonlyMap<number, Uint8Array>;
  #key = 0;
  #offset = 0;
  #addressHigh = 0;

  constructor({ memory, vcpus, files = new Map(), items = new Map() }: FwCfgOptions) {
    this.#memory = memory;
    const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#items = new Map<number, Uint8Array>([
      [Key.SIGNATURE, Buffer.from('QEMU')],
      [Key.ID, littleEndian(FEATURES, 4)],
      [Key.NB_CPUS, littleEndian(vcpus, 2)],
      [Key.MAX_CPUS, littleEndian(vcpus, 2)],
      [Key.FILE_DIR, directory(sorted)],
      ...items,
      ...sorted.map(([, contents], index) => [Key.FIRST_FILE + index, contents] as const),
    ]);
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (offset < DATA_BYTES) return this.#readData(bytes);
    if (offset === Register.DMA_HIGH) return swapped(DMA_SIGNATURE[0]);
    if (offset === Register.DMA_LOW) return swapped(DMA_SIGNATURE[1]);
    return 0;
  }

  write(offset: number, bytes: AccessBytes, low: number, high: number): void {
    if (offset === Register.SELECTOR && bytes === 2) {
      this.#select(((low & 0xff) << 8) | (low >>> 8));
    } else if (offset === Register.DMA_HIGH && bytes >= 4) {
      this.#addressHigh = swapped(low);
      if (bytes === 8) this.#transfer(swapped(high));
    } else if (offset === Register.DMA_LOW && bytes === 4) {
      this.#transfer(swapped(low));
    }
  }

  save(): FwCfgState {
    return { key: this.#key, offset: this.#offset, addressHigh: this.#addressHigh };
  }

  restore({ key, offset, addressHigh }: FwCfgState): void {
    this.#key = key;
    this.#offset = offset;
    this.#addressHigh = addressHigh;
  }

  #select(key: number): void {
    this.#key = key & KEY_BITS;
    this.#offset = 0;
  }

  /** The next bytes of the item, the first one lowest; zeros after its end. */
  #readData(bytes: number): number {
    const item = this.#items.get(this.#key);
    let value = 0;
    for (let n = bytes - 1; n >= 0; n -= 1) value = value * 256 + (item?.[this.#offset + n] ?? 0);
    this.#offset += bytes;
    return value;
  }

  #transfer(addressLow: number): void {
    const address = this.#addressHigh * 2 ** 32 + addressLow;
    this.#addressHigh = 0;
    const access = this.#memory.bytesAt(address, Dma.BYTES);
    if (access === undefined) return;
    const view = new DataView(access.buffer, access.byteOffset, Dma.BYTES);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const target = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    if ((control & Dma.SELECT) !== 0) this.#select(control >>> 16);
    view.setUint32(0, this.#execute(control, target, length) ? 0 : Dma.ERROR);
    this.#memory.wrote(address, 4);
  }

  /** @returns whether it succeeded */
  #execute(control: number, target: number, length: number): boolean {
    if ((control & Dma.READ) !== 0) {
      const into = this.#memory.bytesAt(target, length);
      if (into === undefined) return false;
      const item = this.#items.get(this.#key) ?? new Uint8Array();
      const part = item.subarray(this.#offset, this.#offset + length);
      into.set(part);
      into.fill(0, part.length);
      this.#memory.wrote(target, length);
    } else if ((control & Dma.WRITE) !== 0) {
      return false;
    } else if ((control & Dma.SKIP) === 0) {
      return true;
    }
    this.#offset += length;
    return true;
  }
}

function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => value >>> (8 * n));
}

function swapped(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** The list of files: their count, then size, key and name of each, big-endian. */
function directory(files: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const bytes = Buffer.alloc(4 + files.length * FILE_ENTRY_BYTES);
  bytes.writeUInt32BE(files.length, 0);
  for (const [index, [name, contents]] of files.entries()) {
    const at = 4 + index * FILE_ENTRY_BYTES;
    bytes.writeUInt32BE(contents.length, at);
    bytes.writeUInt16BE(Key.FIRST_FILE + index, at + 4);
    bytes.write(name.slice(0, FILE_NAME_BYTES - 1), at + 8, 'latin1');
  }
  return bytes;
}
