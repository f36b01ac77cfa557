import { inflateSync } from 'node:zlib';

import type { ElfSection } from './elf-sections.ts';

const SHF_COMPRESSED = 0x800;
const COMPRESSION_HEADER = 24;
const ELFCOMPRESS_ZLIB = 1;
/** What one section may unpack to. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * The contents of a debug section, unpacked if they are compressed (ELF, "Compressed Sections"); empty where there is
 * no such section, or it cannot be read: debug information serves reports only.
 */
export function debugSection(section: ElfSection | undefined): Uint8Array {
  if (section === undefined) return new Uint8Array(0);
  try {
    const { data } = section;
    if ((section.flags & SHF_COMPRESSED) === 0) return data;
    const type = data.length < COMPRESSION_HEADER ? 0 : Buffer.from(data.buffer, data.byteOffset).readUInt32LE();
    if (type !== ELFCOMPRESS_ZLIB) return new Uint8Array(0);
    return inflateSync(data.subarray(COMPRESSION_HEADER), { maxOutputLength: MAX_BYTES });
  } catch {
    return new Uint8Array(0);
  }
}
