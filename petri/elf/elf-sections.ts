import { stringAt, type ElfReader } from './elf-reader.ts';

const HEADER_SIZE = 64;
const SHT_NULL = 0;
const SHT_NOBITS = 8;
/** In e_shstrndx: the index is in section 0 (ELF, "Sections": extended numbering). */
const SHN_XINDEX = 0xffff;

/** A section, read when it is asked for: each property throws PetriError `elf-invalid` for what makes no sense. */
export class ElfSection {
  readonly #reader: ElfReader;
  readonly #index: number;
  readonly #at: number;

  constructor(reader: ElfReader, table: number, index: number) {
    this.#reader = reader;
    this.#index = index;
    this.#at = table + index * HEADER_SIZE;
  }

  /** Offset of the name in the section name table. */
  get nameOffset(): number {
    return this.#reader.u32(this.#at, this.#field('sh_name'));
  }

  get type(): number {
    return this.#reader.u32(this.#at + 4, this.#field('sh_type'));
  }

  get flags(): number {
    return this.#reader.u64(this.#at + 8, this.#field('sh_flags'));
  }

  get address(): number {
    return this.#reader.u64(this.#at + 16, this.#field('sh_addr'));
  }

  get size(): number {
    return this.#reader.u64(this.#at + 32, this.#field('sh_size'));
  }

  get link(): number {
    return this.#reader.u32(this.#at + 40, this.#field('sh_link'));
  }

  get info(): number {
    return this.#reader.u32(this.#at + 44, this.#field('sh_info'));
  }

  /** A view of the file; empty for SHT_NOBITS. */
  get data(): Uint8Array {
    if (this.type === SHT_NOBITS || this.type === SHT_NULL) return new Uint8Array(0);
    const offset = this.#reader.u64(this.#at + 24, this.#field('sh_offset'));
    return this.#reader.slice(offset, this.size, `section ${this.#index}`);
  }

  #field(name: string): string {
    return `${name} of section ${this.#index}`;
  }
}

/** The section header table of an ELF64 file. What a section says is looked at when somebody asks. */
export class ElfSections {
  readonly all: readonly ElfSection[];
  readonly #names: ElfSection | undefined;

  /** @throws PetriError `elf-invalid` for a table outside of the file, or one whose index of names is outside of it */
  constructor(reader: ElfReader) {
    const table = reader.u64(40, 'e_shoff');
    const count = table === 0 ? 0 : sectionCount(reader, table);
    reader.slice(table, count * HEADER_SIZE, 'the section header table');
    this.all = Array.from({ length: count }, (_, index) => new ElfSection(reader, table, index));
    const stated = reader.u16(62, 'e_shstrndx');
    const index = stated === SHN_XINDEX ? (this.all[0]?.link ?? 0) : stated;
    this.#names = this.all[index];
    if (count !== 0 && this.#names === undefined) {
      throw reader.invalid('e_shstrndx', index, `the index of one of ${count} sections`);
    }
  }

  /** The first section of a name. @throws PetriError `elf-invalid` for a table of names outside of the file */
  named(name: string): ElfSection | undefined {
    const names = this.#names?.data ?? new Uint8Array(0);
    return this.all.find((section) => stringAt(names, section.nameOffset) === name);
  }
}

/** e_shnum, or what section 0 has in its place where that is too small. */
function sectionCount(reader: ElfReader, table: number): number {
  const entrySize = reader.u16(58, 'e_shentsize');
  if (entrySize !== HEADER_SIZE) throw reader.invalid('e_shentsize', entrySize, `${HEADER_SIZE}`);
  const count = reader.u16(60, 'e_shnum');
  if (count !== 0) return count;
  reader.slice(table, HEADER_SIZE, 'the section header table');
  return new ElfSection(reader, table, 0).size;
}

/** The number of program headers where e_phnum is too small for it (PN_XNUM): in sh_info of section 0. */
export function extendedSegmentCount(reader: ElfReader): number {
  const table = reader.u64(40, 'e_shoff');
  if (table === 0)
    throw reader.invalid('e_shoff', 0, 'a section header table, which has the number of program headers');
  reader.slice(table, HEADER_SIZE, 'the section header table');
  return new ElfSection(reader, table, 0).info;
}
