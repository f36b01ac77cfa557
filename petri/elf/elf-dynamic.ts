import { PetriError } from '../errors.ts';
import { hex, type ElfReader } from './elf-reader.ts';

const RELA_SIZE = 24;
const DYN_SIZE = 16;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_RELA = 7;
const DT_RELASZ = 8;
const DT_RELAENT = 9;

/** Tables of relocations in other forms, by the tag that has their size; all are optional, and smaller than DT_RELA. */
const otherTables: ReadonlyMap<number, readonly [name: string, flag: string]> = new Map([
  [18, ['DT_REL', '-Wl,-z,rela']],
  [35, ['DT_RELR', '-Wl,-z,nopack-relative-relocs, or -Wl,--pack-dyn-relocs=none with lld']],
  [0x6000_0010, ['DT_ANDROID_REL', '-Wl,--pack-dyn-relocs=none']],
  [0x6000_0012, ['DT_ANDROID_RELA', '-Wl,--pack-dyn-relocs=none']],
  [0x6fff_e001, ['DT_ANDROID_RELR', '-Wl,--pack-dyn-relocs=none']],
  [0x7000_0011, ['DT_AARCH64_AUTH_RELR', '-Wl,--pack-dyn-relocs=none, without signed pointers']],
]);

/**
 * ELF for the Arm 64-bit Architecture (AAELF64), "Dynamic relocations": the place gets the load base plus the addend.
 */
export const R_AARCH64_RELATIVE = 1027;

/** What of an ELF file its dynamic section is about: segments and what they load. */
interface LoadedElf {
  readonly segments: readonly { readonly type: number; readonly data: Uint8Array }[];
  segmentAt(address: number, size: number): object | undefined;
  bytesAt(address: number, size: number): Uint8Array | undefined;
}

/** One Elf64_Rela. */
export interface ElfRelocation {
  /** Address of the place, as linked. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

/**
 * @throws PetriError `elf-invalid` for tables or places outside of the image, `elf-unsupported` for relocations that
 * are not in DT_RELA
 */
export function readRelocations(reader: ElfReader, elf: LoadedElf): ElfRelocation[] {
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

function findTable(reader: ElfReader, elf: LoadedElf): Uint8Array | undefined {
  const dynamic = elf.segments.find((segment) => segment.type === PT_DYNAMIC);
  if (dynamic === undefined) return undefined;
  const entries = readDynamic(reader, dynamic.data);
  refuseOtherTables(reader, entries);
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
    if (tag === DT_RELA || tag === DT_RELASZ || tag === DT_RELAENT || otherTables.has(tag)) {
      entries.set(tag, reader.u64(at + 8, 'd_val'));
    }
  }
  return entries;
}

/**
 * Our runtime and that of OpenVMM apply DT_RELA; what is elsewhere would stay as linked, and the first use of it be a
 * fault.
 */
function refuseOtherTables({ file }: ElfReader, entries: ReadonlyMap<number, number>): void {
  for (const [tag, [name, flag]] of otherTables) {
    if ((entries.get(tag) ?? 0) === 0) continue;
    throw new PetriError(
      `${file}: has relocations in ${name}, which the start code of a TMK does not apply, only DT_RELA`,
      {
        code: 'elf-unsupported',
        step: 'payload',
        remedy: `link it with ${flag}, or with \`petri tmk build\``,
      },
    );
  }
}
