/** ELF files made to measure, for tests of what reads them. */

const encoder = new TextEncoder();

export interface TestSegment {
  readonly vaddr: number;
  readonly data: Uint8Array;
  /** @default the length of `data` */
  readonly memsize?: number;
  /** @default 5, readable and executable */
  readonly flags?: number;
  /** @default 1, PT_LOAD */
  readonly type?: number;
}

export interface TestSection {
  readonly name: string;
  readonly type?: number;
  readonly address?: number;
  readonly data: Uint8Array;
  readonly link?: number;
}

export interface TestElf {
  readonly segments: readonly TestSegment[];
  /** After the empty one; the section name table comes last. */
  readonly sections?: readonly TestSection[];
  readonly entry?: number;
  /** @default 3, ET_DYN */
  readonly type?: number;
}

/** A whole file: header, program headers, contents, section headers. */
export function buildElf({ segments, sections = [], entry = segments[0]?.vaddr ?? 0, type = 3 }: TestElf): Uint8Array {
  const names = [...sections.map((section) => section.name), '.shstrtab'];
  const nameTable = encoder.encode(`\0${names.join('\0')}\0`);
  const all: readonly TestSection[] = [...sections, { name: '.shstrtab', type: 3, data: nameTable }];
  const contents = [...segments.map((segment) => segment.data), ...all.map((section) => section.data)];
  const offsets: number[] = [];
  let end = 64 + 56 * segments.length;
  for (const content of contents) {
    end = Math.ceil(end / 16) * 16;
    offsets.push(end);
    end += content.length;
  }
  const sectionTable = Math.ceil(end / 16) * 16;
  const bytes = new Uint8Array(sectionTable + 64 * (all.length + 1));
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  contents.forEach((content, index) => bytes.set(content, offsets[index] ?? 0));

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  view.setUint16(16, type, true);
  view.setUint16(18, 183, true);
  view.setUint32(20, 1, true);
  u64(24, entry);
  u64(32, 64);
  u64(40, sectionTable);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, all.length + 1, true);
  view.setUint16(62, all.length, true);

  segments.forEach((segment, index) => {
    const at = 64 + 56 * index;
    view.setUint32(at, segment.type ?? 1, true);
    view.setUint32(at + 4, segment.flags ?? 5, true);
    u64(at + 8, offsets[index] ?? 0);
    u64(at + 16, segment.vaddr);
    u64(at + 32, segment.data.length);
    u64(at + 40, segment.memsize ?? segment.data.length);
  });
  let name = 1;
  all.forEach((section, index) => {
    const at = sectionTable + 64 * (index + 1);
    view.setUint32(at, name, true);
    name += section.name.length + 1;
    view.setUint32(at + 4, section.type ?? 1, true);
    u64(at + 16, section.address ?? 0);
    u64(at + 24, offsets[segments.length + index] ?? 0);
    u64(at + 32, section.data.length);
    view.setUint32(at + 40, section.link ?? 0, true);
  });
  return bytes;
}

export interface TestDescriptor {
  /** Stored in the descriptor. */
  readonly name: number;
  readonly length: number;
  readonly flags?: number;
}

/** Contents of a `tmk_tests` section. */
export function descriptors(list: readonly TestDescriptor[]): Uint8Array {
  return words(list.flatMap(({ name, length, flags = 0 }) => [name, length, 0, flags]));
}

/** Little-endian 64-bit words; negative ones in two's complement. */
export function words(values: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setBigUint64(index * 8, BigInt.asUintN(64, BigInt(value)), true));
  return bytes;
}

export interface TestTmk {
  readonly names?: Uint8Array;
  readonly tests?: Uint8Array;
  /** Elf64_Rela: place, type, addend. */
  readonly relocations?: readonly (readonly [offset: number, type: number, addend: number | bigint])[];
  readonly type?: number;
  readonly extraSegments?: readonly TestSegment[];
}

/** Where {@link buildTmk} puts things. */
export const tmkLayout = { code: 0x1000, names: 0x2400, tests: 0x3000, relocations: 0x4000, dynamic: 0x5000 } as const;

/** A TMK with names, descriptors and relocations at fixed addresses. */
export function buildTmk({ names, tests, relocations = [], type, extraSegments = [] }: TestTmk): Uint8Array {
  const table = tests ?? descriptors([{ name: tmkLayout.names, length: 5 }]);
  const rela = words(relocations.flatMap(([offset, kind, addend]) => [offset, kind, addend]));
  const dynamic = words([7, tmkLayout.relocations, 8, rela.length, 9, 24, 0, 0]);
  return buildElf({
    ...(type === undefined ? {} : { type }),
    segments: [
      { vaddr: tmkLayout.code, data: new Uint8Array(16) },
      { vaddr: tmkLayout.names, data: names ?? encoder.encode('a::b!'), flags: 4 },
      { vaddr: tmkLayout.tests, data: table, memsize: Math.max(table.length, 64), flags: 6 },
      ...(rela.length === 0 ? [] : [{ vaddr: tmkLayout.relocations, data: rela, flags: 4 }]),
      { vaddr: tmkLayout.dynamic, data: dynamic, flags: 6 },
      { type: 2, vaddr: tmkLayout.dynamic, data: dynamic, flags: 6 },
      ...extraSegments,
    ],
    sections: [{ name: 'tmk_tests', address: tmkLayout.tests, data: table }],
  });
}
