import type { DeviceEntry, ItsTables, Table, Translation } from './its-tables.ts';
import { FIRST_LPI, LPI_END, type Lpis } from './lpis.ts';

/** Commands of an ITS (IHI0069, 5.3). */
export const ItsCommand = {
  MOVI: 0x01,
  INT: 0x03,
  CLEAR: 0x04,
  SYNC: 0x05,
  MAPD: 0x08,
  MAPC: 0x09,
  MAPTI: 0x0a,
  MAPI: 0x0b,
  INV: 0x0c,
  INVALL: 0x0d,
  MOVALL: 0x0e,
  DISCARD: 0x0f,
} as const;

/** A command as its eight words. */
export type CommandWords = (index: number) => number;

const WORD = 2 ** 32;
const VALID = 0x8000_0000;

/** Where the tables are, and who the PEs are. */
export interface ItsTargets {
  readonly devices: Table;
  readonly collections: Table;
  /** LPIs of each PE by its number. */
  readonly lpis: readonly Lpis[];
}

/** What commands do. One that is wrong, or that names what is not mapped, does nothing. */
export class ItsCommands {
  readonly #tables: ItsTables;
  readonly #targets: ItsTargets;

  constructor(tables: ItsTables, targets: ItsTargets) {
    this.#tables = tables;
    this.#targets = targets;
  }

  /** @returns what it cost the host: about the number of entries that were looked at */
  execute(word: CommandWords): number {
    const device = word(1);
    const event = word(2);
    const collection = word(4) & 0xffff;
    switch (word(0) & 0xff) {
      case ItsCommand.MAPD:
        this.#mapDevice(device, word);
        break;
      case ItsCommand.MAPC:
        this.#tables.setCollection(this.#targets.collections, collection, peOf(word, 4, this.#targets.lpis.length));
        break;
      case ItsCommand.MAPTI:
        this.#mapEvent(device, event, { intid: word(3), collection });
        break;
      case ItsCommand.MAPI:
        this.#mapEvent(device, event, { intid: event, collection });
        break;
      case ItsCommand.MOVI:
        this.#move(device, event, collection);
        break;
      case ItsCommand.DISCARD:
        this.#discard(device, event);
        break;
      case ItsCommand.INT:
        this.signal(device, event);
        break;
      case ItsCommand.CLEAR:
        this.#at(device, event, (lpis, { intid }) => void lpis.drop(intid));
        break;
      case ItsCommand.INV:
        this.#at(device, event, (lpis, { intid }) => {
          lpis.reload(intid);
        });
        break;
      case ItsCommand.INVALL: {
        const lpis = this.#lpisOf(collection);
        lpis?.reload();
        return 1 + (lpis?.count ?? 0);
      }
      case ItsCommand.MOVALL:
        return 1 + this.#moveAll(word);
      default:
        // SYNC: effects are there at once. What is reserved does nothing.
        break;
    }
    return 1;
  }

  /** An MSI: makes the LPI of an event pending. */
  signal(device: number, event: number): void {
    this.#at(device, event, (lpis, { intid }) => {
      lpis.raise(intid);
    });
  }

  #mapDevice(id: number, word: CommandWords): void {
    const entry: DeviceEntry = {
      table: (word(5) & 0xf_ffff) * WORD + ((word(4) & 0xffff_ff00) >>> 0),
      eventBits: (word(2) & 31) + 1,
    };
    const valid = (word(5) & VALID) !== 0;
    if (valid && entry.eventBits > 16) return;
    this.#tables.setDevice(this.#targets.devices, id, valid ? entry : undefined);
  }

  #mapEvent(deviceId: number, event: number, entry: Translation): void {
    const device = this.#tables.device(this.#targets.devices, deviceId);
    if (device === undefined || entry.intid < FIRST_LPI || entry.intid >= LPI_END) return;
    this.#tables.setEvent(device, event, entry);
  }

  #move(deviceId: number, event: number, collection: number): void {
    const device = this.#tables.device(this.#targets.devices, deviceId);
    const entry = device && this.#tables.event(device, event);
    const to = this.#lpisOf(collection);
    if (device === undefined || entry === undefined || to === undefined) return;
    const from = this.#lpisOf(entry.collection);
    this.#tables.setEvent(device, event, { intid: entry.intid, collection });
    if (from !== undefined && from !== to && from.drop(entry.intid)) to.raise(entry.intid);
  }

  #moveAll(word: CommandWords): number {
    const { lpis } = this.#targets;
    const from = lpis[word(4) >>> 16];
    const to = lpis[word(6) >>> 16];
    return from === undefined || to === undefined ? 0 : from.moveTo(to);
  }

  #discard(deviceId: number, event: number): void {
    this.#at(deviceId, event, (lpis, { intid }) => void lpis.drop(intid));
    const device = this.#tables.device(this.#targets.devices, deviceId);
    if (device !== undefined) this.#tables.setEvent(device, event, undefined);
  }

  /** Does something where the LPI of an event goes, if it is mapped. */
  #at(deviceId: number, event: number, action: (lpis: Lpis, entry: Translation) => void): void {
    const device = this.#tables.device(this.#targets.devices, deviceId);
    const entry = device && this.#tables.event(device, event);
    const lpis = entry && this.#lpisOf(entry.collection);
    if (entry !== undefined && lpis !== undefined) action(lpis, entry);
  }

  #lpisOf(collection: number): Lpis | undefined {
    return this.#targets.lpis[this.#tables.collection(this.#targets.collections, collection) ?? -1];
  }
}

/** RDbase of a command with a Valid bit, a number of a PE; undefined to unmap. */
function peOf(word: CommandWords, at: number, count: number): number | undefined {
  const pe = (word(at) >>> 16) + ((word(at + 1) & 7) << 16);
  return (word(at + 1) & VALID) === 0 || pe >= count ? undefined : pe;
}
