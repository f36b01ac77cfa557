/**
 * The value of a property: `true` for one without a value, cells of 32 bits, strings (each ends with NUL), or bytes.
 */
export type Property = true | number | readonly number[] | string | readonly string[] | Uint8Array;

/** A node of a device tree (Devicetree Specification v0.4, 2.2). */
export interface DeviceTreeNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  /** In the order in which they are written. */
  readonly properties: Readonly<Record<string, Property>>;
  readonly children?: readonly DeviceTreeNode[];
}

const WORD = 2 ** 32;

/** A 64-bit number as two cells. @param value a safe integer */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / WORD), value % WORD];
}

/** `reg` with two cells for addresses and sizes. */
export function reg(...windows: readonly { readonly base: number; readonly bytes: number }[]): number[] {
  return windows.flatMap(({ base, bytes }) => [...cells64(base), ...cells64(bytes)]);
}

/** The name of a node with a unit address. */
export function at(name: string, address: number): string {
  return `${name}@${address.toString(16)}`;
}
