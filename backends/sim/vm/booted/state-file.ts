import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';

import { CHUNK_BYTES, MemoryImage, PAGE } from '../../guests/index.ts';
import type { BootedState } from './booted-state.ts';

/*
 * A file is a header, what `serialize` makes of everything but RAM, the numbers of the pages of RAM that are not zero,
 * their contents, and the SHA-256 of all that. Numbers are of 32 bits, little-endian.
 */

const MAGIC = 'petri-vm state 1';
const Header = { Bytes: 32, Length: 16, Pages: 20, Total: 24 } as const;
const DIGEST_BYTES = 32;
/** Chunks that are read and written at once. */
const CHUNKS = 8;
const PAGES_PER_CHUNK = CHUNK_BYTES / PAGE;
/** 4 GiB: linear memory has no more. */
const MAX_PAGES = 2 ** 20;

/** Writes a state to a file that is open and empty. */
export async function writeState(file: FileHandle, state: BootedState): Promise<void> {
  const { memory, machine } = state.guest;
  const pages = Uint32Array.from([...memory.slots.keys()].filter((page) => (memory.slots[page] ?? -1) >= 0));
  const rest = serialize({ machine, extras: state.extras, console: state.console });
  const header = Buffer.alloc(Header.Bytes);
  header.write(MAGIC, 'latin1');
  header.writeUInt32LE(rest.length, Header.Length);
  header.writeUInt32LE(pages.length, Header.Pages);
  header.writeUInt32LE(memory.slots.length, Header.Total);
  const hash = createHash('sha256');
  const write = async (...parts: Uint8Array[]): Promise<void> => {
    for (const part of parts) hash.update(part);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await file.writev(parts);
    if (bytesWritten !== bytes) throw new Error('the disk is full');
  };
  await write(header, rest, new Uint8Array(pages.buffer));
  for (let first = 0; first < pages.length; first += PAGES_PER_CHUNK) {
    const some = pages.subarray(first, first + PAGES_PER_CHUNK);
    const chunk = new Uint8Array(some.length * PAGE);
    some.forEach((page, index) => chunk.set(memory.page(page) ?? [], index * PAGE));
    await write(chunk);
  }
  await file.writev([hash.digest()]);
}

/** Reads what `writeState` wrote. @returns undefined for a file that is damaged @throws Error of the system */
export async function readState(path: string): Promise<BootedState | undefined> {
  const file = await open(path, 'r');
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle): Promise<BootedState | undefined> {
  const hash = createHash('sha256');
  const fill = async (parts: readonly Uint8Array[]): Promise<boolean> => {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesRead } = await file.readv([...parts]);
    return bytesRead === bytes;
  };
  const filled = async (parts: readonly Uint8Array[]): Promise<boolean> => {
    if (!(await fill(parts))) return false;
    for (const part of parts) hash.update(part);
    return true;
  };
  const header = Buffer.alloc(Header.Bytes);
  if (!(await filled([header])) || header.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const length = header.readUInt32LE(Header.Length);
  const count = header.readUInt32LE(Header.Pages);
  const total = header.readUInt32LE(Header.Total);
  const { size } = await file.stat();
  if (size !== Header.Bytes + length + count * (4 + PAGE) + DIGEST_BYTES || total > MAX_PAGES) return undefined;
  const rest = new Uint8Array(length);
  const pages = new Uint32Array(count);
  if (!(await filled([rest, new Uint8Array(pages.buffer)]))) return undefined;
  const chunks = Array.from({ length: Math.ceil(count / PAGES_PER_CHUNK) }, (_, index) => {
    return new Uint8Array(Math.min(PAGES_PER_CHUNK, count - index * PAGES_PER_CHUNK) * PAGE);
  });
  for (let first = 0; first < chunks.length; first += CHUNKS) {
    if (!(await filled(chunks.slice(first, first + CHUNKS)))) return undefined;
  }
  const digest = Buffer.alloc(DIGEST_BYTES);
  if (!(await fill([digest])) || !hash.digest().equals(digest)) return undefined;
  const slots = new Int32Array(total).fill(-1);
  pages.forEach((page, slot) => (slots[page] = slot));
  // Safe: by its digest it is what `writeState` wrote, and the key of the file is of this version of it.
  const { machine, extras, console } = deserialize(rest) as Pick<BootedState, 'extras' | 'console'> &
    Pick<BootedState['guest'], 'machine'>;
  return { guest: { memory: new MemoryImage(slots, chunks), machine }, extras, console };
}
