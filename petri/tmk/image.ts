import { PetriError } from '../errors.ts';
import type { TmkImage, TmkTest } from '../contract/index.ts';
import {
  ET_DYN,
  PT_GNU_STACK,
  PT_INTERP,
  type ElfFile,
  R_AARCH64_RELATIVE,
  hex,
  type ElfSection,
} from '../elf/index.ts';

/** The section that holds the test descriptors (OpenVMM `tmk/tmk_core`). */
export const TESTS_SECTION = 'tmk_tests';

const DESCRIPTOR_SIZE = 32;
const FLAG_EXPECTED_FAILURE = 1;
const FLAG_LINUX_ONLY = 2;
const MAX_TESTS = 65_536;
const MAX_NAME_BYTES = 1024;
const PAGE_SIZE = 4096;

/**
 * Reads the tests of a TMK from an ELF file.
 *
 * @throws PetriError `elf-unsupported` for a program that cannot be loaded at any address, `tmk-invalid` without a
 *   readable `tmk_tests` section, `elf-invalid` for relocations outside of the image; `elf-unsupported` also for
 *   relocations that need a loader or a runtime (DT_REL, DT_RELR)
 */
export function readTmk(elf: ElfFile): TmkImage {
  if (elf.type !== ET_DYN) {
    throw unsupported(elf, `e_type is ${elf.type}, expected ${ET_DYN} (ET_DYN): a TMK is loaded at any address`);
  }
  if (elf.segments.some((segment) => segment.type === PT_INTERP)) {
    throw unsupported(elf, 'has a PT_INTERP segment: it needs a dynamic loader, and a TMK runs alone');
  }
  const tests = readTests(elf);
  const first = elf.loadSegments[0];
  const last = elf.loadSegments.at(-1);
  const start = first?.vaddr ?? 0;
  const end = last === undefined ? start : last.vaddr + last.memsize;
  const stack = elf.segments.find((segment) => segment.type === PT_GNU_STACK && segment.memsize !== 0);
  return {
    tests,
    segments: elf.loadSegments,
    entry: elf.entry,
    span: { start: Math.floor(start / PAGE_SIZE) * PAGE_SIZE, end: Math.ceil(end / PAGE_SIZE) * PAGE_SIZE },
    ...(stack === undefined ? {} : { stackStart: stack.vaddr }),
    symbolAt: (address) => elf.symbolAt(address),
  };
}

/**
 * The test with a name: a full name, or its part after `::`, such as `boot` for `common::boot`.
 *
 * @throws PetriError `tmk-test-unknown`, `tmk-test-ambiguous`
 */
export function findTest(image: TmkImage, payload: string, name: string): TmkTest {
  const exact = image.tests.filter((test) => test.name === name);
  const matches = exact.length > 0 ? exact : image.tests.filter((test) => test.name.endsWith(`::${name}`));
  const [match, other] = matches;
  if (match !== undefined && other === undefined) return match;
  if (match === undefined) {
    throw new PetriError(`${payload} has no test '${name}'`, {
      code: 'tmk-test-unknown',
      step: 'payload',
      remedy: `name one of: ${image.tests.map((test) => test.name).join(', ')}`,
    });
  }
  throw new PetriError(`'${name}' means ${matches.length} tests of ${payload}`, {
    code: 'tmk-test-ambiguous',
    step: 'payload',
    remedy: `write the full name: ${matches.map((test) => test.name).join(', ')}`,
  });
}

function readTests(elf: ElfFile): TmkTest[] {
  const section = elf.section(TESTS_SECTION);
  if (section === undefined) throw invalid(elf, `has no section '${TESTS_SECTION}'`);
  if (section.data.length === 0) throw invalid(elf, `section '${TESTS_SECTION}' is empty: it has no tests`);
  if (section.data.length % DESCRIPTOR_SIZE !== 0) {
    throw invalid(
      elf,
      `section '${TESTS_SECTION}' has ${section.data.length} bytes, expected a multiple of ${DESCRIPTOR_SIZE}`,
    );
  }
  const count = section.data.length / DESCRIPTOR_SIZE;
  if (count > MAX_TESTS)
    throw invalid(elf, `section '${TESTS_SECTION}' has ${count} tests, expected at most ${MAX_TESTS}`);
  const addends = nameAddends(elf, section);
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const at = index * DESCRIPTOR_SIZE;
    const stored = view.getBigUint64(at, true);
    const address = BigInt.asUintN(64, stored + BigInt(addends.get(section.address + at) ?? 0));
    const flags = view.getUint32(at + 24, true);
    return {
      index,
      name: readName(elf, { index, address, length: view.getBigUint64(at + 8, true), stored }),
      expectedFailure: (flags & FLAG_EXPECTED_FAILURE) !== 0,
      linuxOnly: (flags & FLAG_LINUX_ONLY) !== 0,
    };
  });
}

/** Addends of the relocations of name fields in descriptors, by address. */
function nameAddends(elf: ElfFile, section: ElfSection): ReadonlyMap<number, number> {
  const addends = new Map<number, number>();
  for (const relocation of elf.relocations) {
    const position = relocation.offset - section.address;
    if (position < 0 || position >= section.size || position % DESCRIPTOR_SIZE !== 0) continue;
    if (relocation.type !== R_AARCH64_RELATIVE) {
      const test = position / DESCRIPTOR_SIZE;
      throw unsupported(
        elf,
        `the name of test ${test} has relocation type ${relocation.type}, expected ${R_AARCH64_RELATIVE} (R_AARCH64_RELATIVE)`,
      );
    }
    addends.set(relocation.offset, relocation.addend);
  }
  return addends;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface NameField {
  readonly index: number;
  readonly address: bigint;
  readonly length: bigint;
  /** The part of the address that is in the file, not in a relocation. */
  readonly stored: bigint;
}

function readName(elf: ElfFile, { index, address, length, stored }: NameField): string {
  const where = `the name of test ${index} (${length} bytes at 0x${address.toString(16)})`;
  if (length === 0n || length > MAX_NAME_BYTES) {
    throw invalid(elf, `${where} has a wrong length, expected 1 to ${MAX_NAME_BYTES} bytes`);
  }
  // By default GNU ld also writes addends into the image. OpenVMM adds both, so the sum would not be the name's
  // address.
  if (stored !== 0n && stored * 2n === address) {
    throw invalid(
      elf,
      `${where} has its address in the image and in a relocation; link with -Wl,--no-apply-dynamic-relocs`,
    );
  }
  const bytes = address > Number.MAX_SAFE_INTEGER ? undefined : elf.bytesAt(Number(address), Number(length));
  if (bytes === undefined) {
    const image = elf.loadSegments.map((s) => `${hex(s.vaddr)} to ${hex(s.vaddr + s.data.length)}`).join(', ');
    throw invalid(elf, `${where} is outside of the image, expected an address in ${image}`);
  }
  let name: string;
  try {
    name = decoder.decode(bytes);
  } catch (error) {
    throw invalid(elf, `${where} is not valid UTF-8`, error);
  }
  // Names are printed to the user's terminal.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) throw invalid(elf, `${where} has control characters`);
  return name;
}

function invalid(elf: ElfFile, message: string, cause?: unknown): PetriError {
  return new PetriError(`${elf.file}: ${message}`, {
    code: 'tmk-invalid',
    step: 'payload',
    remedy:
      "declare tests with TMK_TEST (artifacts/tmk/runtime/tmk.h) or OpenVMM's tmk_macros, and keep the section when linking",
    ...(cause === undefined ? {} : { cause }),
  });
}

function unsupported(elf: ElfFile, message: string): PetriError {
  return new PetriError(`${elf.file}: ${message}`, {
    code: 'elf-unsupported',
    step: 'payload',
    remedy: 'link the payload as a static position-independent program (-static-pie), as `petri tmk build` does',
  });
}
