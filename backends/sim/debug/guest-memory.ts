import type { GuestDebug, GuestVcpu } from '../guests/index.ts';

const PAGE = 4096;

/** How a debugger's addresses are meant: as the payload translates them now, or as its physical ones. */
export type AddressSpace = 'virtual' | 'physical';

/** A part of memory that lies in one page. */
interface Piece {
  readonly offset: number;
  readonly bytes: number;
}

/** The places of a range, page by page, up to the first that is not mapped. */
function* pieces(
  { cpu }: GuestDebug,
  { context }: GuestVcpu,
  space: AddressSpace,
  address: bigint,
  bytes: number,
): Generator<Piece, void, void> {
  const start = Number(BigInt.asIntN(64, address));
  for (let at = 0; at < bytes;) {
    const here = start + at;
    const page = Math.floor(here / PAGE) * PAGE;
    const length = Math.min(bytes - at, page + PAGE - here);
    const offset = space === 'virtual' ? cpu.place(context, here) : physical(context, page) + (here - page);
    if (!Number.isSafeInteger(here) || offset < 0) return;
    yield { offset, bytes: length };
    at += length;
  }
}

/** Below zero, by more than a page, where nothing is mapped. */
function physical({ stage2 }: GuestVcpu['context'], page: number): number {
  if (page < 0 || page >= 2 ** 48) return -Infinity;
  const { offset } = stage2.translate(page);
  return offset < 0 ? -Infinity : offset;
}

/** The bytes from an address on, up to the first that is not mapped. */
export function readMemory(
  guest: GuestDebug,
  where: GuestVcpu,
  space: AddressSpace,
  address: bigint,
  bytes: number,
): Uint8Array {
  const found = [...pieces(guest, where, space, address, bytes)];
  return Buffer.concat(found.map(({ offset, bytes: length }) => guest.cpu.memory.u8.subarray(offset, offset + length)));
}

/** Writes all of the data, whatever the guest is permitted, or nothing. @returns whether it did */
export function writeMemory(
  guest: GuestDebug,
  where: GuestVcpu,
  space: AddressSpace,
  address: bigint,
  data: Uint8Array,
): boolean {
  const found = [...pieces(guest, where, space, address, data.length)];
  if (found.reduce((sum, { bytes }) => sum + bytes, 0) < data.length) return false;
  let at = 0;
  for (const { offset, bytes } of found) {
    guest.cpu.memory.u8.set(data.subarray(at, at + bytes), offset);
    guest.cpu.wrote(offset, bytes);
    at += bytes;
  }
  return true;
}
