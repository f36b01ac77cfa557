import { PetriError } from '../errors.ts';
import { debugSection } from './debug-sections.ts';
import { type LineRange, readLines } from './dwarf-lines.ts';
import { readRelocations, type ElfRelocation } from './elf-dynamic.ts';
import { ElfReader, hex } from './elf-reader.ts';
import { ElfSections, extendedSegmentCount, type ElfSection } from './elf-sections.ts';
import { type SymbolLocation, SymbolTable } from './elf-symbols.ts';

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const EM_AARCH64 = 183;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const SHT_SYMTAB = 2;
/** In e_phnum: the number is in section 0. */
const PN_XNUM = 0xffff;
const PF_X = 1;

/** Bound on the memory of one image; RAM of a test VM is far below. */
const MAX_IMAGE_BYTES = 2 ** 30;

export const ET_EXEC = 2;
export const ET_DYN = 3;
export const PT_INTERP = 3;
export const PT_GNU_STACK = 0x6474e551;

/** The program headers that somebody asks for. */
const neededTypes = new Set([PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK]);

/** A program header, with the bytes that the file has for it. */
export interface ElfSegment {
  /** PT_LOAD and so on. */
  readonly type: number;
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  /** Physical address. @throws PetriError `elf-invalid` for one beyond 2^53 */
  readonly paddr: number;
  readonly memsize: number;
  readonly align: number;
  /** The first p_filesz bytes at `vaddr`; the rest up to `memsize` is zero. A view of the file. */
  readonly data: Uint8Array;
}

/**
 * An ELF64 file for AArch64. Made for files that nobody vouches for: every offset and size is checked when it is read,
 * and what nobody asks for (debug information above all) is never touched.
 */
export class ElfFile {
  readonly file: string;
  /** ET_EXEC or ET_DYN. */
  readonly type: number;
  readonly entry: number;
  /** PT_LOAD, PT_DYNAMIC, PT_INTERP and PT_GNU_STACK. */
  readonly segments: readonly ElfSegment[];
  /** The PT_LOAD segments that take up memory, in order of address, none overlapping. */
  readonly loadSegments: readonly ElfSegment[];
  readonly #sections: ElfSections;
  readonly #reader: ElfReader;
  #relocations: readonly ElfRelocation[] | undefined;
  #symbols: SymbolTable | undefined;
  #lines: readonly LineRange[] | undefined;

  /**
   * @param file what to call the file in messages
   * @throws PetriError `elf-invalid`, `elf-unsupported`
   */
  constructor(bytes: Uint8Array, file: string) {
    const reader = new ElfReader(bytes, file);
    this.file = file;
    this.#reader = reader;
    checkIdentification(reader);
    this.type = reader.u16(16, 'e_type');
    if (this.type !== ET_EXEC && this.type !== ET_DYN) {
      throw reader.unsupported('e_type', this.type, `${ET_EXEC} (ET_EXEC) or ${ET_DYN} (ET_DYN): a linked program`);
    }
    this.entry = reader.u64(24, 'e_entry');
    this.segments = readSegments(reader);
    this.loadSegments = orderLoadSegments(reader, this.segments);
    this.#sections = new ElfSections(reader);
    const entrySegment = this.segmentAt(this.entry, 4);
    if (entrySegment === undefined || (entrySegment.flags & PF_X) === 0) {
      throw reader.invalid('e_entry', hex(this.entry), 'an address inside an executable PT_LOAD segment');
    }
  }

  /** The first section of a name. @throws PetriError `elf-invalid` where names cannot be read */
  section(name: string): ElfSection | undefined {
    return this.#sections.named(name);
  }

  /**
   * The dynamic relocations (DT_RELA).
   *
   * @throws PetriError `elf-invalid`, `elf-unsupported` for those of another form
   */
  get relocations(): readonly ElfRelocation[] {
    return (this.#relocations ??= readRelocations(this.#reader, this));
  }

  get symbols(): SymbolTable {
    return (this.#symbols ??= this.#readSymbols());
  }

  /** Which instructions come from which lines, where the file has line tables (DWARF); else empty. */
  get lines(): readonly LineRange[] {
    return (this.#lines ??= readLines(this.#debug('.debug_line'), {
      lineStrings: this.#debug('.debug_line_str'),
      strings: this.#debug('.debug_str'),
    }));
  }

  /** The symbol at an address of the image as linked. */
  symbolAt(address: number): SymbolLocation | undefined {
    return this.segmentAt(address, 1) === undefined ? undefined : this.symbols.at(address);
  }

  /** The loadable segment that holds all of [address, address + size). */
  segmentAt(address: number, size: number): ElfSegment | undefined {
    let low = 0;
    let high = this.loadSegments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.loadSegments[middle];
      if (segment !== undefined && segment.vaddr <= address) low = middle + 1;
      else high = middle;
    }
    const segment = this.loadSegments[low - 1];
    return segment !== undefined && address + size <= segment.vaddr + segment.memsize ? segment : undefined;
  }

  /** The bytes that the file loads at [address, address + size); undefined where it loads none. */
  bytesAt(address: number, size: number): Uint8Array | undefined {
    const segment = this.segmentAt(address, size);
    if (segment === undefined) return undefined;
    const start = address - segment.vaddr;
    return start + size <= segment.data.length ? segment.data.subarray(start, start + size) : undefined;
  }

  #debug(name: string): Uint8Array {
    try {
      return debugSection(this.#sections.named(name));
    } catch (error) {
      // Names of sections that are cut off.
      if (error instanceof PetriError) return new Uint8Array(0);
      throw error;
    }
  }

  #readSymbols(): SymbolTable {
    const empty = new Uint8Array(0);
    const { all } = this.#sections;
    const table = all.find((section) => section.type === SHT_SYMTAB);
    const strings = table === undefined ? undefined : all[table.link];
    try {
      return new SymbolTable(table?.data ?? empty, strings?.data ?? empty);
    } catch (error) {
      // Symbols serve reports: a file whose tables are cut off has none.
      if (error instanceof PetriError) return new SymbolTable(empty, empty);
      throw error;
    }
  }
}

function checkIdentification(reader: ElfReader): void {
  const magic = reader.slice(0, 4, 'e_ident');
  if (magic[0] !== 0x7f || magic[1] !== 0x45 || magic[2] !== 0x4c || magic[3] !== 0x46) {
    throw reader.invalid('e_ident', Buffer.from(magic).toString('hex'), '7f454c46 (an ELF file)');
  }
  const elfClass = reader.u8(4, 'EI_CLASS');
  if (elfClass !== 2) throw reader.unsupported('EI_CLASS', elfClass, '2 (64-bit)');
  const encoding = reader.u8(5, 'EI_DATA');
  if (encoding !== 1) throw reader.unsupported('EI_DATA', encoding, '1 (little-endian)');
  const version = reader.u8(6, 'EI_VERSION');
  if (version !== 1) throw reader.unsupported('EI_VERSION', version, '1');
  const osAbi = reader.u8(7, 'EI_OSABI');
  if (osAbi !== 0 && osAbi !== 3) throw reader.unsupported('EI_OSABI', osAbi, '0 (System V) or 3 (GNU)');
  reader.slice(0, HEADER_SIZE, 'the ELF header');
  const machine = reader.u16(18, 'e_machine');
  if (machine !== EM_AARCH64) throw reader.unsupported('e_machine', machine, `${EM_AARCH64} (AArch64)`);
}

function readSegments(reader: ElfReader): ElfSegment[] {
  const tableOffset = reader.u64(32, 'e_phoff');
  const stated = reader.u16(56, 'e_phnum');
  const count = stated === PN_XNUM ? extendedSegmentCount(reader) : stated;
  if (count === 0) throw reader.invalid('e_phnum', 0, 'at least one program header');
  const entrySize = reader.u16(54, 'e_phentsize');
  if (entrySize !== PROGRAM_HEADER_SIZE) throw reader.invalid('e_phentsize', entrySize, `${PROGRAM_HEADER_SIZE}`);
  reader.slice(tableOffset, count * PROGRAM_HEADER_SIZE, 'the program header table');
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * PROGRAM_HEADER_SIZE;
    const name = (field: string): string => `${field} of program header ${index}`;
    const type = reader.u32(at, 'p_type');
    if (!neededTypes.has(type)) continue;
    const fileSize = reader.u64(at + 32, name('p_filesz'));
    const offset = reader.u64(at + 8, name('p_offset'));
    segments.push({
      type,
      flags: reader.u32(at + 4, 'p_flags'),
      offset,
      vaddr: reader.u64(at + 16, name('p_vaddr')),
      get paddr() {
        return reader.u64(at + 24, name('p_paddr'));
      },
      memsize: reader.u64(at + 40, name('p_memsz')),
      align: reader.u64(at + 48, name('p_align')),
      data: fileSize === 0 ? reader.slice(0, 0, '') : reader.slice(offset, fileSize, `program header ${index}`),
    });
  }
  return segments;
}

function orderLoadSegments(reader: ElfReader, segments: readonly ElfSegment[]): ElfSegment[] {
  const loads = segments.filter((segment) => segment.type === PT_LOAD && segment.memsize !== 0);
  for (const segment of loads) {
    const where = `of the PT_LOAD segment at ${hex(segment.vaddr)}`;
    if (segment.data.length > segment.memsize) {
      const expected = `no more than its p_memsz of ${hex(segment.memsize)}`;
      throw reader.invalid(`p_filesz ${where}`, hex(segment.data.length), expected);
    }
    if (segment.memsize > MAX_IMAGE_BYTES) {
      throw reader.unsupported(`p_memsz ${where}`, hex(segment.memsize), `no more than ${hex(MAX_IMAGE_BYTES)}`);
    }
    if (segment.vaddr + segment.memsize >= Number.MAX_SAFE_INTEGER) {
      throw reader.invalid(`p_vaddr ${where}`, hex(segment.vaddr), 'a segment that ends below 2^53');
    }
  }
  loads.sort((a, b) => a.vaddr - b.vaddr);
  let previous: ElfSegment | undefined;
  for (const segment of loads) {
    if (previous !== undefined && previous.vaddr + previous.memsize > segment.vaddr) {
      const range = `${hex(previous.vaddr)} to ${hex(previous.vaddr + previous.memsize)}`;
      throw reader.invalid('p_vaddr of a PT_LOAD segment', hex(segment.vaddr), `no overlap with the one at ${range}`);
    }
    previous = segment;
  }
  const first = loads[0];
  if (first === undefined || previous === undefined) {
    throw reader.invalid('the number of PT_LOAD segments', 0, 'at least one');
  }
  const span = previous.vaddr + previous.memsize - first.vaddr;
  if (span > MAX_IMAGE_BYTES) {
    throw reader.unsupported('the span of the PT_LOAD segments', hex(span), `no more than ${hex(MAX_IMAGE_BYTES)}`);
  }
  return loads;
}
