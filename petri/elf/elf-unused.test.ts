import { describe, expect, it } from 'vitest';

import { PetriError } from '../errors.ts';
import { ElfFile } from './elf.ts';
import { buildElf, buildTmk, tmkLayout, words, type TestElf } from './testing.ts';
import { readTmk } from '../tmk/index.ts';

const NOTE = 4;

/** Offset of a section header of a file that `buildElf` made. */
function sectionHeader(view: DataView, index: number): number {
  return Number(view.getBigUint64(40, true)) + 64 * index;
}

function patched(bytes: Uint8Array, patch: (view: DataView) => void): ElfFile {
  patch(new DataView(bytes.buffer));
  return new ElfFile(bytes, 'x.elf');
}

function failure(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof PetriError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

/** A TMK with debug information, symbols and a note. */
const tests = words([tmkLayout.names, 5, 0, 0]);
const full: TestElf = {
  segments: [
    { vaddr: tmkLayout.code, data: new Uint8Array(16) },
    { vaddr: tmkLayout.names, data: new TextEncoder().encode('a::b!') },
    { vaddr: tmkLayout.tests, data: tests, flags: 6 },
    { vaddr: 0, data: new Uint8Array(16), type: NOTE },
  ],
  sections: [
    { name: '.debug_info', data: new Uint8Array(16) },
    { name: 'tmk_tests', address: tmkLayout.tests, data: tests },
    { name: '.symtab', type: 2, link: 4, data: new Uint8Array(24) },
    { name: '.strtab', type: 3, data: new Uint8Array(1) },
  ],
};

const far = 0x7fff_ffff_0000_0000n;

describe('what nobody needs of a file', () => {
  it.each<[string, (view: DataView) => void]>([
    ['a section that is outside of the file', (v) => v.setBigUint64(sectionHeader(v, 1) + 24, 0xffff_ffn, true)],
    ['a section at an offset of 2^63', (v) => v.setBigUint64(sectionHeader(v, 1) + 24, far, true)],
    ['a section of a size of 2^63', (v) => v.setBigUint64(sectionHeader(v, 1) + 32, far, true)],
    ['a section of an address and flags of 2^63', (v) => v.setBigUint64(sectionHeader(v, 1) + 16, far, true)],
    ['a section without a readable name', (v) => v.setUint32(sectionHeader(v, 1), 0xffff, true)],
    ['symbols that are outside of the file', (v) => v.setBigUint64(sectionHeader(v, 3) + 24, 0xffff_ffn, true)],
    ['symbols whose names are elsewhere', (v) => v.setUint32(sectionHeader(v, 3) + 40, 77, true)],
    ['a note that is outside of the file', (v) => v.setBigUint64(64 + 3 * 56 + 8, far, true)],
  ])('does not refuse it: %s', (_, patch) => {
    const elf = patched(buildElf(full), patch);
    expect(readTmk(elf).tests.map(({ name }) => name)).toEqual(['a::b!']);
    expect(elf.symbolAt(tmkLayout.code)).toBeUndefined();
  });

  it('refuses it where it is needed', () => {
    const elf = patched(buildElf(full), (v) => v.setBigUint64(sectionHeader(v, 2) + 24, 0xffff_ffn, true));
    expect(failure(() => readTmk(elf))).toContain('elf-invalid: x.elf: truncated: section 2 needs');
    const nameless = patched(buildElf(full), (v) => v.setBigUint64(sectionHeader(v, 5) + 24, 0xffff_ffn, true));
    expect(failure(() => readTmk(nameless))).toContain('elf-invalid: x.elf: truncated: section 5 needs');
  });
});

describe('extended numbering', () => {
  const extend =
    (segments: number, sections: bigint, names: number) =>
    (view: DataView): void => {
      const zero = sectionHeader(view, 0);
      view.setUint16(56, 0xffff, true);
      view.setUint16(60, 0, true);
      view.setUint16(62, 0xffff, true);
      view.setUint32(zero + 44, segments, true);
      view.setBigUint64(zero + 32, sections, true);
      view.setUint32(zero + 40, names, true);
    };

  it('is read from section 0', () => {
    const elf = patched(buildElf(full), extend(4, 6n, 5));
    expect(readTmk(elf).tests.map(({ name }) => name)).toEqual(['a::b!']);
  });

  it.each<[string, number, bigint, number, string]>([
    ['of 4 G segments', 0xffff_ffff, 6n, 5, 'truncated: the program header table'],
    ['of no segments', 0, 6n, 5, 'e_phnum is 0'],
    ['of 2^40 sections', 4, 2n ** 40n, 5, 'truncated: the section header table'],
    ['of 2^63 sections', 4, 2n ** 63n, 5, 'sh_size of section 0 is 0x8000000000000000'],
    ['of names nowhere', 4, 6n, 6, 'e_shstrndx is 6'],
  ])('is refused: %s', (_, segments, sections, names, why) => {
    const error = failure(() => patched(buildElf(full), extend(segments, sections, names)));
    expect(error).toContain(`elf-invalid: x.elf: ${why}`);
  });

  it('is refused without a section 0', () => {
    const error = failure(() =>
      patched(buildElf(full), (view) => {
        view.setUint16(56, 0xffff, true);
        view.setBigUint64(40, 0n, true);
      }),
    );
    expect(error).toContain('elf-invalid: x.elf: e_shoff is 0');
  });

  it('gives symbols of sections whose index does not fit', () => {
    const symbol = new Uint8Array(24);
    const view = new DataView(symbol.buffer);
    view.setUint32(0, 1, true);
    view.setUint8(4, 2);
    view.setUint16(6, 0xffff, true);
    view.setBigUint64(8, BigInt(tmkLayout.code), true);
    const sections = full.sections?.map((section) => {
      if (section.type === 2) return { ...section, data: symbol };
      return section.type === 3 ? { ...section, data: new TextEncoder().encode('\0far\0') } : section;
    });
    const elf = new ElfFile(buildElf({ ...full, sections: sections ?? [] }), 'x.elf');
    expect(elf.symbolAt(tmkLayout.code)).toEqual({ name: 'far', offset: 0 });
  });
});

describe('relocations that no start code of a TMK applies', () => {
  const withDynamic = (...entries: number[]): ElfFile => {
    const dynamic = words([...entries, 0, 0]);
    const segments = [
      { vaddr: 0x9000, data: dynamic, flags: 6 },
      { type: 2, vaddr: 0x9000, data: dynamic, flags: 6 },
    ];
    return new ElfFile(buildElf({ ...full, segments: [...full.segments, ...segments] }), 'x.elf');
  };

  it.each<[string, readonly number[], string]>([
    ['DT_RELR', [36, 0x3000, 35, 8, 37, 8], 'nopack-relative-relocs'],
    ['DT_REL', [17, 0x3000, 18, 16, 19, 16], '-z,rela'],
    ['DT_ANDROID_RELA', [0x6000_0011, 0x3000, 0x6000_0012, 9], '--pack-dyn-relocs=none'],
  ])('are refused: %s', (name, entries, flag) => {
    expect(() => readTmk(withDynamic(...entries))).toThrow(
      expect.objectContaining({
        code: 'elf-unsupported',
        message: expect.stringContaining(`x.elf: has relocations in ${name},`) as string,
        remedy: expect.stringContaining(flag) as string,
      }),
    );
  });

  it('are none where their table is empty', () => {
    expect(readTmk(withDynamic(36, 0x3000, 35, 0, 17, 0x3000, 18, 0)).tests).toHaveLength(1);
  });

  it('are not those of DT_RELA', () => {
    const bytes = buildTmk({ relocations: [[tmkLayout.tests + 16, 1027, tmkLayout.code]] });
    expect(new ElfFile(bytes, 'x.elf').relocations).toHaveLength(1);
  });
});
