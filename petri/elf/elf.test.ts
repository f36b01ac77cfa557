import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { artifactsFolder } from '../artifacts/index.ts';
import { PetriError, type PetriErrorCode } from '../errors.ts';
import { ElfFile } from './elf.ts';
import { buildElf, buildTmk, words, type TestElf } from './testing.ts';
import { readTmk } from '../tmk/index.ts';

const code = new Uint8Array(32);
const plain: TestElf = { segments: [{ vaddr: 0x1000, data: code }] };
const hello = readFileSync(`${artifactsFolder()}/tmk/prebuilt/hello.elf`);

function failure(bytes: Uint8Array): PetriError {
  try {
    const { relocations } = new ElfFile(bytes, 'x.elf');
    throw new Error(`the file was accepted, with ${relocations.length} relocations`);
  } catch (error) {
    if (error instanceof PetriError) return error;
    throw error;
  }
}

/** What is wrong with a file after some bytes of it were changed. */
function failureOf(elf: TestElf, patch: (view: DataView) => void): string {
  const bytes = buildElf(elf);
  patch(new DataView(bytes.buffer));
  const { code: errorCode, message } = failure(bytes);
  return `${errorCode}: ${message.split('\n')[0] ?? ''}`;
}

describe('a good file', () => {
  it('gives its header, segments and sections', () => {
    const elf = new ElfFile(
      buildElf({
        segments: [
          { vaddr: 0x20, data: code },
          { vaddr: 0x5008, data: words([1]), memsize: 0x100, flags: 6 },
        ],
        sections: [{ name: 'tmk_tests', address: 0x5008, data: words([1]) }],
        entry: 0x24,
      }),
      'x.elf',
    );
    expect(elf).toMatchObject({ type: 3, entry: 0x24 });
    expect(elf.loadSegments.map(({ vaddr, memsize, flags }) => ({ vaddr, memsize, flags }))).toEqual([
      { vaddr: 0x20, memsize: 32, flags: 5 },
      { vaddr: 0x5008, memsize: 0x100, flags: 6 },
    ]);
    expect(elf.section('tmk_tests')).toMatchObject({ address: 0x5008, size: 8 });
    expect(elf.section('nothing')).toBeUndefined();
  });

  it('gives views of the file, not copies', () => {
    const bytes = buildElf(plain);
    expect(new ElfFile(bytes, 'x.elf').loadSegments[0]?.data.buffer).toBe(bytes.buffer);
  });

  it('may be of the GNU OS ABI', () => {
    const bytes = buildElf(plain);
    bytes[7] = 3;
    expect(new ElfFile(bytes, 'x.elf').entry).toBe(0x1000);
  });

  it('gives memory by address: file data, and nothing for zeros, gaps and ends', () => {
    const elf = new ElfFile(
      buildElf({
        segments: [
          { vaddr: 0x1000, data: words([1, 2]), memsize: 0x20 },
          { vaddr: 0x2000, data: words([3]) },
        ],
      }),
      'x.elf',
    );
    expect(elf.bytesAt(0x1008, 8)).toEqual(words([2]));
    expect(elf.bytesAt(0x2000, 8)).toEqual(words([3]));
    expect(elf.bytesAt(0x1008, 9)).toBeUndefined();
    expect(elf.bytesAt(0x1010, 1)).toBeUndefined();
    expect(elf.segmentAt(0x101f, 1)?.vaddr).toBe(0x1000);
    expect(elf.segmentAt(0x101f, 2)).toBeUndefined();
    expect(elf.bytesAt(0xfff, 1)).toBeUndefined();
    expect(elf.bytesAt(0x2008, 1)).toBeUndefined();
  });
});

describe('symbols', () => {
  const symbol = (name: number, type: number, section: number, value: number, size: number): Uint8Array => {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, name, true);
    view.setUint8(4, type);
    view.setUint16(6, section, true);
    view.setBigUint64(8, BigInt(value), true);
    view.setBigUint64(16, BigInt(size), true);
    return bytes;
  };
  const strings = new TextEncoder().encode('\0one\0label\0$x\0_ZN4main4test17h0123456789abcdefE\0');
  const elf = new ElfFile(
    buildElf({
      segments: [{ vaddr: 0x1000, data: new Uint8Array(0x100) }],
      sections: [
        {
          name: '.symtab',
          type: 2,
          link: 2,
          data: Buffer.concat([
            symbol(0, 0, 0, 0, 0),
            symbol(14, 2, 1, 0x1040, 0x20),
            symbol(1, 2, 1, 0x1000, 0x10),
            symbol(11, 0, 1, 0x1004, 0),
            symbol(5, 0, 1, 0x1080, 0),
            symbol(999, 2, 1, 0x1050, 0x10),
            symbol(1, 2, 0, 0x1090, 0x10),
          ]),
        },
        { name: '.strtab', type: 3, data: strings },
      ],
    }),
    'x.elf',
  );

  it.each([
    [0x1000, { name: 'one', offset: 0 }],
    [0x100f, { name: 'one', offset: 15 }],
    [0x1010, undefined],
    [0x105c, { name: 'main::test', offset: 0x1c }],
    [0x1090, { name: 'label', offset: 0x10 }],
    [0xfff, undefined],
    [0x1100, undefined],
  ])('at 0x%s', (address, expected) => {
    expect(elf.symbolAt(address)).toEqual(expected);
  });

  it('leave out mapping symbols, undefined ones and names that cannot be read', () => {
    expect(elf.symbols.symbols.map(({ name }) => name)).toEqual(['one', 'main::test', 'label']);
  });

  it('are none in a stripped file', () => {
    expect(new ElfFile(buildElf(plain), 'x.elf').symbolAt(0x1000)).toBeUndefined();
  });

  it('name the functions of a prebuilt payload', () => {
    const real = new ElfFile(hello, 'hello.elf');
    const main = real.symbols.named('tmk_main');
    expect(main).toBeDefined();
    expect(real.symbolAt((main?.address ?? 0) + 4)).toEqual({ name: 'tmk_main', offset: 4 });
    expect(real.symbolAt(real.entry)?.name).toBe('_start');
  });
});

describe('a file that is wrong', () => {
  it.each<[string, (view: DataView) => void, string]>([
    ['magic', (v) => v.setUint8(0, 0), 'elf-invalid: x.elf: e_ident is 00454c46, expected 7f454c46 (an ELF file)'],
    ['class', (v) => v.setUint8(4, 1), 'elf-unsupported: x.elf: EI_CLASS is 1, expected 2 (64-bit)'],
    ['endianness', (v) => v.setUint8(5, 2), 'elf-unsupported: x.elf: EI_DATA is 2, expected 1 (little-endian)'],
    ['OS ABI', (v) => v.setUint8(7, 9), 'elf-unsupported: x.elf: EI_OSABI is 9, expected 0 (System V) or 3 (GNU)'],
    ['machine', (v) => v.setUint16(18, 62, true), 'elf-unsupported: x.elf: e_machine is 62, expected 183 (AArch64)'],
    ['object file', (v) => v.setUint16(16, 1, true), 'elf-unsupported: x.elf: e_type is 1'],
    ['no segments', (v) => v.setUint16(56, 0, true), 'elf-invalid: x.elf: e_phnum is 0'],
    ['header size', (v) => v.setUint16(54, 32, true), 'elf-invalid: x.elf: e_phentsize is 32, expected 56'],
    ['header table', (v) => v.setUint32(32, 0xffff, true), 'elf-invalid: x.elf: truncated: the program header table'],
    ['section table', (v) => v.setUint32(40, 0xffff, true), 'elf-invalid: x.elf: truncated: the section header table'],
    ['section names', (v) => v.setUint16(62, 9, true), 'elf-invalid: x.elf: e_shstrndx is 9'],
    ['entry', (v) => v.setUint32(24, 0x1020, true), 'elf-invalid: x.elf: e_entry is 0x1020'],
    ['entry above 2^53', (v) => v.setUint32(28, 0x80000000, true), 'elf-invalid: x.elf: e_entry is 0x8000000000001000'],
    ['offset', (v) => v.setUint32(72, 0x10000, true), 'elf-invalid: x.elf: truncated: program header 0 needs'],
    ['p_filesz above p_memsz', (v) => v.setUint32(104, 16, true), 'elf-invalid: x.elf: p_filesz of the PT_LOAD'],
    ['enormous p_memsz', (v) => v.setUint32(107, 0x41, true), 'elf-unsupported: x.elf: p_memsz of the PT_LOAD'],
    ['p_memsz of 2^63', (v) => v.setUint32(108, 1 << 31, true), 'elf-invalid: x.elf: p_memsz of program header 0 is'],
    ['no PT_LOAD', (v) => v.setUint32(64, 4, true), 'elf-invalid: x.elf: the number of PT_LOAD segments is 0'],
  ])('%s', (_, patch, expected) => {
    expect(failureOf(plain, patch)).toContain(expected);
  });

  it('overlapping segments', () => {
    const elf: TestElf = {
      segments: [
        { vaddr: 0x1000, data: code, memsize: 0x1000 },
        { vaddr: 0x1fff, data: code },
      ],
    };
    expect(failureOf(elf, () => undefined)).toBe(
      'elf-invalid: x.elf: p_vaddr of a PT_LOAD segment is 0x1fff, expected no overlap with the one at 0x1000 to 0x2000',
    );
  });

  it('segments far apart', () => {
    const elf: TestElf = {
      segments: [
        { vaddr: 0x1000, data: code },
        { vaddr: 2 ** 40, data: code },
      ],
    };
    expect(failureOf(elf, () => undefined)).toContain('elf-unsupported: x.elf: the span of the PT_LOAD segments');
  });

  it.each<[string, readonly [number, number, number | bigint], string]>([
    [
      'a place outside of the image',
      [0x9000, 1027, 0],
      'r_offset of relocation 0 is 0x9000, expected an address inside',
    ],
    ['a place that ends outside of it', [0x103c, 1027, 0], 'r_offset of relocation 0 is 0x103c'],
    ['a place above 2^53', [2 ** 52 * 4, 1027, 0], 'r_offset is 0x40000000000000'],
    ['an addend of 2^62', [0x3000, 1027, 2n ** 62n], 'r_addend of relocation 0 is 4611686018427387904'],
  ])('a relocation with %s', (_, relocation, expected) => {
    const bytes = buildTmk({ relocations: [relocation] });
    expect(failure(bytes)).toMatchObject({ code: 'elf-invalid' });
    expect(failure(bytes).message).toContain(expected);
  });

  it('a relocation table outside of the image', () => {
    const dynamic = words([7, 0x8000, 8, 24, 0, 0]);
    const bytes = buildElf({
      segments: [
        { vaddr: 0x1000, data: code },
        { vaddr: 0x2000, data: dynamic },
        { type: 2, vaddr: 0x2000, data: dynamic },
      ],
    });
    expect(failure(bytes).message).toContain('DT_RELA is 0x8000 with 0x18 bytes');
  });
});

/** Reads everything that can be read; an error that is not one of ours fails the test. */
function readAll(bytes: Uint8Array): PetriErrorCode | 'ok' {
  try {
    const elf = new ElfFile(bytes, 'x.elf');
    const { tests, segments, span } = readTmk(elf);
    elf.symbolAt(elf.entry);
    expect(tests.length).toBeGreaterThan(0);
    expect(segments.every(({ vaddr, memsize }) => vaddr >= span.start && vaddr + memsize <= span.end)).toBe(true);
    return 'ok';
  } catch (error) {
    if (!(error instanceof PetriError)) throw error;
    expect(error.remedy).toBeDefined();
    return error.code;
  }
}

const typed = ['ok', 'elf-invalid', 'elf-unsupported', 'tmk-invalid'];

describe('hostile files', () => {
  it('truncated anywhere end in a typed error', () => {
    for (let length = 0; length < hello.length; length += 7)
      expect(readAll(hello.subarray(0, length))).toBe('elf-invalid');
    expect(readAll(hello)).toBe('ok');
  });

  it('with any bytes changed are read or end in a typed error', () => {
    const change = fc.tuple(fc.nat(hello.length - 1), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)));
    const headers = fc.tuple(fc.nat(63 + 4 * 56), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    fc.assert(
      fc.property(fc.array(fc.oneof(change, headers), { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = Uint8Array.from(hello);
        for (const [offset, value] of changes) bytes[offset] = value;
        expect(typed).toContain(readAll(bytes));
      }),
      { numRuns: 3000, seed: 1 },
    );
  });
});
