import { type DeviceTreeNode, type Property } from './node.ts';

/** Devicetree Specification v0.4, 5.2 and 5.4. */
export const Fdt = {
  MAGIC: 0xd00d_feed,
  VERSION: 17,
  LAST_COMPATIBLE: 16,
  HEADER_BYTES: 40,
  BEGIN_NODE: 1,
  END_NODE: 2,
  PROP: 3,
  NOP: 4,
  END: 9,
} as const;

const RESERVATION_BYTES = 16;

export interface EncodeOptions {
  /** Memory that the client program must leave alone. */
  readonly reserved?: readonly { readonly base: number; readonly bytes: number }[];
  /** Total size at least: firmware adds to a tree where it is. @default no more than needed */
  readonly bytes?: number;
}

/** The flattened form of a device tree, version 17 (Devicetree Specification v0.4, chapter 5). */
export function encodeDeviceTree(root: DeviceTreeNode, { reserved = [], bytes = 0 }: EncodeOptions = {}): Uint8Array {
  const strings = new Strings();
  const structure: number[] = [];
  putNode(structure, root, strings);
  putWord(structure, Fdt.END);

  const structureAt = Fdt.HEADER_BYTES + (reserved.length + 1) * RESERVATION_BYTES;
  const stringsAt = structureAt + structure.length;
  const total = Math.max(align(stringsAt + strings.bytes.length), align(bytes));
  const blob = new Uint8Array(total);
  const view = new DataView(blob.buffer);
  const header = [
    Fdt.MAGIC,
    total,
    structureAt,
    stringsAt,
    Fdt.HEADER_BYTES,
    Fdt.VERSION,
    Fdt.LAST_COMPATIBLE,
    0,
    strings.bytes.length,
    structure.length,
  ];
  for (const [index, word] of header.entries()) view.setUint32(4 * index, word);
  for (const [index, range] of reserved.entries()) {
    view.setBigUint64(Fdt.HEADER_BYTES + index * RESERVATION_BYTES, BigInt(range.base));
    view.setBigUint64(Fdt.HEADER_BYTES + index * RESERVATION_BYTES + 8, BigInt(range.bytes));
  }
  blob.set(structure, structureAt);
  blob.set(strings.bytes, stringsAt);
  return blob;
}

/** The strings block: each name of a property once. */
class Strings {
  readonly bytes: number[] = [];
  readonly #offsets = new Map<string, number>();

  offset(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.bytes.length;
    this.#offsets.set(name, offset);
    this.bytes.push(...Buffer.from(`${name}\0`));
    return offset;
  }
}

function putNode(structure: number[], node: DeviceTreeNode, strings: Strings): void {
  putWord(structure, Fdt.BEGIN_NODE);
  putBytes(structure, Buffer.from(`${node.name}\0`));
  for (const [name, property] of Object.entries(node.properties)) {
    const value = propertyBytes(property);
    putWord(structure, Fdt.PROP);
    putWord(structure, value.length);
    putWord(structure, strings.offset(name));
    putBytes(structure, value);
  }
  for (const child of node.children ?? []) putNode(structure, child, strings);
  putWord(structure, Fdt.END_NODE);
}

function propertyBytes(property: Property): Uint8Array {
  if (property === true) return new Uint8Array();
  if (property instanceof Uint8Array) return property;
  const values = typeof property === 'number' || typeof property === 'string' ? [property] : property;
  const bytes: number[] = [];
  for (const value of values) {
    if (typeof value === 'number') putWord(bytes, value);
    else for (const byte of Buffer.from(`${value}\0`)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function putWord(to: number[], value: number): void {
  to.push((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function putBytes(to: number[], bytes: Uint8Array): void {
  for (const byte of bytes) to.push(byte);
  while (to.length % 4 !== 0) to.push(0);
}

function align(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
