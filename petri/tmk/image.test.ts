import { describe, expect, it } from 'vitest';

import { PetriError } from '../errors.ts';
import { ElfFile } from '../elf/index.ts';
import { buildElf, buildTmk, descriptors, tmkLayout, type TestTmk } from '../elf/testing.ts';
import { findTest, readTmk } from './image.ts';
import type { TmkImage } from '../contract/index.ts';

const { names, tests } = tmkLayout;
const encoder = new TextEncoder();

function image(tmk: TestTmk): TmkImage {
  return readTmk(new ElfFile(buildTmk(tmk), 'x.elf'));
}

function failure(tmk: TestTmk): string {
  try {
    image(tmk);
  } catch (error) {
    if (error instanceof PetriError) return `${error.code}: ${error.message.split('\n')[0] ?? ''}`;
    throw error;
  }
  throw new Error('the file was accepted');
}

describe('tests of an image', () => {
  it('are named by relocations, as a linker for Rust leaves them: nothing in place', () => {
    const read = image({
      names: encoder.encode('common::bootaarch64::abort'),
      tests: descriptors([
        { name: 0, length: 12 },
        { name: 0, length: 14, flags: 3 },
      ]),
      relocations: [
        [tests + 32, 1027, names + 12],
        [tests, 1027, names],
        [tests + 16, 1027, tmkLayout.code],
      ],
    });
    expect(read.tests).toEqual([
      { index: 0, name: 'common::boot', expectedFailure: false, linuxOnly: false },
      { index: 1, name: 'aarch64::abort', expectedFailure: true, linuxOnly: true },
    ]);
  });

  it('are named by stored addresses if there is no relocation', () => {
    expect(image({ tests: descriptors([{ name: names, length: 4 }]) }).tests[0]?.name).toBe('a::b');
  });

  it('are named by the sum if there are both', () => {
    const both: TestTmk = {
      tests: descriptors([{ name: 3, length: 2 }]),
      relocations: [[tests, 1027, names]],
    };
    expect(image(both).tests[0]?.name).toBe('b!');
  });

  it('have flags of 64 bits, of which two are known', () => {
    const unknown = descriptors([{ name: names, length: 4, flags: 2 ** 40 + 5 }]);
    expect(image({ tests: unknown }).tests[0]).toMatchObject({ expectedFailure: true, linuxOnly: false });
  });

  it('come with the pages that the image takes up', () => {
    const { span, segments, entry } = image({});
    expect(span).toEqual({ start: 0x1000, end: 0x6000 });
    expect(entry).toBe(tmkLayout.code);
    expect(segments.map(({ vaddr }) => vaddr)).toEqual([0x1000, 0x2400, 0x3000, 0x5000]);
  });
});

describe('an image that is not a TMK', () => {
  const long = 'the name of test 0 (1025 bytes at 0x2400) has a wrong length';
  it.each<[string, TestTmk, string]>([
    ['an empty section', { tests: new Uint8Array(0) }, "tmk-invalid: x.elf: section 'tmk_tests' is empty"],
    ['a cut section', { tests: new Uint8Array(33) }, "tmk-invalid: x.elf: section 'tmk_tests' has 33 bytes"],
    ['a name outside', { tests: descriptors([{ name: 0x9000, length: 1 }]) }, 'tmk-invalid: x.elf: the name of test 0'],
    ['a name across an end', { tests: descriptors([{ name: names, length: 6 }]) }, 'is outside of the image'],
    ['a name in zeros', { tests: descriptors([{ name: tests + 40, length: 1 }]) }, 'is outside of the image'],
    ['no name', { tests: descriptors([{ name: names, length: 0 }]) }, 'has a wrong length, expected 1 to 1024 bytes'],
    ['a long name', { tests: descriptors([{ name: names, length: 1025 }]) }, long],
    ['a name of 2^52 bytes', { tests: descriptors([{ name: names, length: 2 ** 52 }]) }, 'has a wrong length'],
    ['invalid UTF-8', { names: Uint8Array.of(0x61, 0xc3, 0x28, 0x62, 0x63) }, 'is not valid UTF-8'],
    ['an escape sequence', { names: encoder.encode('\u001b[31m') }, 'has control characters'],
    [
      'another relocation',
      { relocations: [[tests, 257, names]] },
      'elf-unsupported: x.elf: the name of test 0 has relocation',
    ],
    ['a fixed address', { type: 2 }, 'elf-unsupported: x.elf: e_type is 2, expected 3 (ET_DYN)'],
    [
      'a dynamic loader',
      { extraSegments: [{ type: 3, vaddr: 0, data: encoder.encode('/lib/ld.so\0') }] },
      'elf-unsupported: x.elf: has a PT_INTERP segment',
    ],
    [
      'addends that are in the image too',
      { tests: descriptors([{ name: names, length: 4 }]), relocations: [[tests, 1027, names]] },
      'link with -Wl,--no-apply-dynamic-relocs',
    ],
    [
      'addends that are in the image too, and twice of them is some text',
      { tests: descriptors([{ name: names / 2, length: 4 }]), relocations: [[tests, 1027, names / 2]] },
      'link with -Wl,--no-apply-dynamic-relocs',
    ],
  ])('has %s', (_, tmk, expected) => {
    expect(failure(tmk)).toContain(expected);
  });

  it('has no section of tests', () => {
    const elf = new ElfFile(buildElf({ segments: [{ vaddr: 0, data: new Uint8Array(16) }] }), 'x.elf');
    expect(() => readTmk(elf)).toThrow("x.elf: has no section 'tmk_tests'");
  });
});

describe('a test by its name', () => {
  const read = image({
    names: encoder.encode('a::bootb::boota::last'),
    tests: descriptors([
      { name: names, length: 7 },
      { name: names + 7, length: 7 },
      { name: names + 14, length: 7 },
    ]),
  });

  it('is found by its full name or its end', () => {
    expect(findTest(read, 'x', 'b::boot').index).toBe(1);
    expect(findTest(read, 'x', 'last').index).toBe(2);
  });

  it.each([
    ['boot', 'tmk-test-ambiguous', 'a::boot, b::boot'],
    ['oot', 'tmk-test-unknown', 'a::boot, b::boot, a::last'],
  ])('is rejected if there is none: %s', (name, code, listed) => {
    expect(() => findTest(read, 'x', name)).toThrow(
      expect.objectContaining({ code, remedy: expect.stringContaining(listed) as unknown }),
    );
  });
});
