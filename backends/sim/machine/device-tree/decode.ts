import { Fdt } from './encode.ts';

/** A node of a flattened device tree as it was read: values are bytes, whose meaning their name says. */
export interface DecodedNode {
  readonly name: string;
  readonly properties: ReadonlyMap<string, Uint8Array>;
  readonly children: readonly DecodedNode[];
}

interface OpenNode {
  readonly name: string;
  readonly properties: Map<string, Uint8Array>;
  readonly children: OpenNode[];
}

/**
 * Reads a flattened device tree of version 16 or 17.
 *
 * @throws RangeError if it is none, or is truncated
 */
export function decodeDeviceTree(blob: Uint8Array): DecodedNode {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (view.getUint32(0) !== Fdt.MAGIC) throw new RangeError('not a flattened device tree: its magic number is missing');
  if (view.getUint32(24) > Fdt.VERSION) throw new RangeError('the device tree needs a later version of its format');
  const stringsAt = view.getUint32(12);
  const open: OpenNode[] = [];
  for (let place = view.getUint32(8); ;) {
    const token = view.getUint32(place);
    place += 4;
    switch (token) {
      case Fdt.BEGIN_NODE: {
        const name = stringAt(blob, place);
        place += aligned(Buffer.byteLength(name) + 1);
        const node = { name, properties: new Map<string, Uint8Array>(), children: [] };
        open.at(-1)?.children.push(node);
        open.push(node);
        break;
      }
      case Fdt.PROP: {
        const bytes = view.getUint32(place);
        const name = stringAt(blob, stringsAt + view.getUint32(place + 4));
        place += 8;
        if (place + bytes > blob.length) throw new RangeError(`the property ${name} is truncated`);
        open.at(-1)?.properties.set(name, blob.slice(place, place + bytes));
        place += aligned(bytes);
        break;
      }
      case Fdt.END_NODE: {
        const closed = open.pop();
        if (closed === undefined) throw new RangeError('a node ends that did not begin');
        if (open.length === 0) return closed;
        break;
      }
      case Fdt.NOP:
        break;
      default:
        throw new RangeError(`the device tree has an unknown token, ${String(token)}`);
    }
  }
}

/** The node at a path, such as `/cpus/cpu@0`; undefined if there is none. */
export function nodeAt(root: DecodedNode, path: string): DecodedNode | undefined {
  let node: DecodedNode | undefined = root;
  for (const name of path.split('/').filter(Boolean)) node = node?.children.find((child) => child.name === name);
  return node;
}

/** A property as cells; empty if it is missing. */
export function cellsOf(node: DecodedNode | undefined, property: string): number[] {
  const value = node?.properties.get(property) ?? new Uint8Array();
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length >>> 2 }, (_, index) => view.getUint32(4 * index));
}

/** A property as strings; empty if it is missing. */
export function stringsOf(node: DecodedNode | undefined, property: string): string[] {
  const value = node?.properties.get(property);
  return value === undefined ? [] : Buffer.from(value).toString().replace(/\0$/, '').split('\0');
}

function stringAt(blob: Uint8Array, start: number): string {
  const end = blob.indexOf(0, start);
  if (end < 0) throw new RangeError('a string of the device tree is truncated');
  return Buffer.from(blob.subarray(start, end)).toString();
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
