/** What each chip answers to the command Read Identifier: Intel, 128 Mbit. */
export const MANUFACTURER_ID = 0x89;
export const DEVICE_ID = 0x18;

/** Addresses of the primary command set's table, and of the end of all tables. */
const PRIMARY = 0x31;
const END = 0x40;

/** Binary logarithm of the write buffer of one chip in bytes. */
const WRITE_BUFFER = 11;

/**
 * The query structure of one chip (JESD68.01, tables 1 to 4), a byte for each of its addresses.
 *
 * @param chips how many share the bytes and the blocks
 */
export function cfiTable({
  bytes,
  chips,
  blockBytes,
}: {
  bytes: number;
  chips: number;
  blockBytes: number;
}): Uint8Array {
  const table = new Uint8Array(END);
  const blocks = bytes / blockBytes - 1;
  const chipBlock = blockBytes / chips / 256;
  // Identification: QRY, Intel extended command set, and where its table is.
  table.set([0x51, 0x52, 0x59, 0x01, 0x00, PRIMARY, 0x00, 0, 0, 0, 0], 0x10);
  // Supply of 4.5 to 5.5 V, none for programming; times of programs and erases as powers of two.
  table.set([0x45, 0x55, 0, 0, 7, 7, 10, 0, 4, 4, 4, 0], 0x1b);
  // Size, an interface of 16 bits, the write buffer, and one region of blocks.
  table.set([Math.log2(bytes / chips), 1, 0, WRITE_BUFFER, 0, 1], 0x27);
  table.set([blocks & 0xff, blocks >>> 8, chipBlock & 0xff, chipBlock >>> 8], 0x2d);
  // PRI 1.0 without optional features, and with all commands in one partition.
  table.set([0x50, 0x52, 0x49, 0x31, 0x30], PRIMARY);
  return table;
}
