import type { GuestMemory } from '../../device.ts';

const WORD = 2 ** 32;
/** Bytes of an entry of any table, our own format: a doubleword whose top bit is Valid. */
export const ENTRY_BYTES = 8;
const VALID = 0x8000_0000;
/** Event numbers of a device: at most this many bits, as many as LPIs have. */
const EVENT_BITS = 16;

const SIZE_MASK = 0xff;
const ADDRESS_HIGH = 0xf_ffff;
/** An ITT is aligned to 256 bytes. */
const ADDRESS_LOW = 0xffff_ff00;

/** A device, as MAPD describes it. */
export interface DeviceEntry {
  /** Of its interrupt translation table. */
  readonly table: number;
  readonly eventBits: number;
}

/** An event of a device. */
export interface Translation {
  readonly intid: number;
  readonly collection: number;
}

/** A table in guest memory: where GITS_BASERn or a device entry says. */
export interface Table {
  readonly address: number;
  readonly entries: number;
}

/**
 * The tables of an ITS in guest memory (IHI0069, 5.2). Software gives the memory and does not look at it, but nothing
 * keeps it from writing there: every entry is checked each time that it is read.
 */
export class ItsTables {
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  device(devices: Table, id: number): DeviceEntry | undefined {
    const entry = this.#read(devices, id);
    if (entry === undefined) return undefined;
    const [low, high] = entry;
    const eventBits = (low & SIZE_MASK) + 1;
    if (eventBits > EVENT_BITS) return undefined;
    return { table: (high & ADDRESS_HIGH) * WORD + ((low & ADDRESS_LOW) >>> 0), eventBits };
  }
  /** @param entry undefined to unmap it */
  setDevice(devices: Table, id: number, entry: DeviceEntry | undefined): void {
    const high = entry === undefined ? 0 : VALID + Math.floor(entry.table / WORD);
    this.#write(devices, id, entry === undefined ? 0 : (entry.table % WORD) + entry.eventBits - 1, high);
  }

  event(device: DeviceEntry, id: number): Translation | undefined {
    const entry = this.#read(eventsOf(device), id);
    return entry && { intid: entry[0], collection: entry[1] & 0xffff };
  }
  setEvent(device: DeviceEntry, id: number, entry: Translation | undefined): void {
    const high = entry === undefined ? 0 : VALID + entry.collection;
    this.#write(eventsOf(device), id, entry?.intid ?? 0, high);
  }

  /** The PE of a collection, by its number. */
  collection(collections: Table, id: number): number | undefined {
    return this.#read(collections, id)?.[0];
  }
  setCollection(collections: Table, id: number, pe: number | undefined): void {
    this.#write(collections, id, pe ?? 0, pe === undefined ? 0 : VALID);
  }

  /** The two words of a valid entry. */
  #read(table: Table, index: number): readonly [low: number, high: number] | undefined {
    const bytes = this.#entry(table, index);
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_BYTES);
    const high = view.getUint32(4, true);
    return (high & VALID) === 0 ? undefined : [view.getUint32(0, true), high];
  }

  #write(table: Table, index: number, low: number, high: number): void {
    const bytes = this.#entry(table, index);
    if (bytes === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_BYTES);
    view.setUint32(0, low, true);
    view.setUint32(4, high, true);
    this.#memory.wrote(table.address + index * ENTRY_BYTES, ENTRY_BYTES);
  }

  #entry({ address, entries }: Table, index: number): Uint8Array | undefined {
    return index < entries ? this.#memory.bytesAt(address + index * ENTRY_BYTES, ENTRY_BYTES) : undefined;
  }
}

function eventsOf({ table, eventBits }: DeviceEntry): Table {
  return { address: table, entries: 2 ** eventBits };
}
