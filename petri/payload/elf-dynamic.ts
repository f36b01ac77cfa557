import type { ElfFile } from './elf.ts';
import { hex, type ElfReader } from './elf-reader.ts';

const RELA_SIZE = 24;
const DYN_SIZE = 16;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_RELA = 7;
const DT_RELASZ = 8;
const DT_RELAENT = 9;

/** ELF for the Arm 64-bit Architecture (AAELF64), "Dynamic relocations": the place gets the load base plus the addend. */
export const R_AARCH64_RELATIVE = 1027;

/** One Elf64_Rela. */
export interface ElfRelocation {
  /** Address of the place, as linked. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

/** @throws PetriError `elf-invalid` for tables or places outside of the image */
export function readRelocations(reader: ElfReader, elf: ElfFile): ElfRelocation[] {
  const table = findTable(reader, elf);
  if (table === undefined) return [];
  const relocations: ElfRelocation[] = [];
  const start = table.byteOffset - reader.bytes.byteOffset;
  for (let at = start; at < start + table.length; at += RELA_SIZE) {
    const offset = reader.u64(at, 'r_offset');
    if (elf.segmentAt(offset, 8) === undefined) {
      throw reader.invalid(`r_offset of relocation ${relocations.length}`, hex(offset), 'an address inside the image');
    }
    relocations.push({
      offset,
      type: reader.u32(at + 8, 'r_info'),
      symbol: reader.u32(at + 12, 'r_info'),
      addend: reader.s64(at + 16, `r_addend of relocation ${relocations.length}`),
    });
  }
  return relocations;
}

function findTable(reader: ElfReader, elf: ElfFile): Uint8Array | undefined {
  const dynamic = elf.segments.find((segment) => segment.type === PT_DYNAMIC);
  if (dynamic === undefined) return undefined;
  const entries = readDynamic(reader, dynamic.data);
  const address = entries.get(DT_RELA);
  const size = entries.get(DT_RELASZ);
  if (address === undefined || size === undefined || size === 0) return undefined;
  const entrySize = entries.get(DT_RELAENT) ?? RELA_SIZE;
  if (entrySize !== RELA_SIZE) throw reader.invalid('DT_RELAENT', entrySize, `${RELA_SIZE}`);
  if (size % RELA_SIZE !== 0) throw reader.invalid('DT_RELASZ', hex(size), `a multiple of ${RELA_SIZE}`);
  const table = elf.bytesAt(address, size);
  if (table === undefined) {
    throw reader.invalid('DT_RELA', `${hex(address)} with ${hex(size)} bytes`, 'a table inside the loaded file data');
  }
  return table;
}

function readDynamic(reader: ElfReader, data: Uint8Array): ReadonlyMap<number, number> {
  const entries = new Map<number, number>();
  const start = data.byteOffset - reader.bytes.byteOffset;
  for (let at = start; at + DYN_SIZE <= start + data.length; at += DYN_SIZE) {
    const tag = reader.u64(at, 'd_tag');
    if (tag === DT_NULL) break;
    if (tag === DT_RELA || tag === DT_RELASZ || tag === DT_RELAENT) entries.set(tag, reader.u64(at + 8, 'd_val'));
  }
  return entries;
}
