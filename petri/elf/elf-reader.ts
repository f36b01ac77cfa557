import { PetriError, type PetriErrorCode } from '../errors.ts';

/** Values of ELF files are shown as they stand in `readelf`. */
export function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** Little-endian reads from an ELF file, each checked, each failing with the name of the field that was to be read. */
export class ElfReader {
  readonly bytes: Uint8Array;
  /** As the user knows the file, for messages. */
  readonly file: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = bytes;
    this.file = file;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(offset: number, field: string): number {
    this.#check(offset, 1, field);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, field: string): number {
    this.#check(offset, 2, field);
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number, field: string): number {
    this.#check(offset, 4, field);
    return this.#view.getUint32(offset, true);
  }

  /**
   * A 64-bit address or size.
   *
   * @throws PetriError `elf-invalid` for a value that no image in memory can have (2^53 and more)
   */
  u64(offset: number, field: string): number {
    this.#check(offset, 8, field);
    const high = this.#view.getUint32(offset + 4, true);
    if (high >= 1 << 21) {
      const value = `0x${this.#view.getBigUint64(offset, true).toString(16)}`;
      throw this.invalid(field, value, 'an address or size below 2^53');
    }
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** A 64-bit signed number. @throws PetriError `elf-invalid` for a magnitude of 2^53 and more */
  s64(offset: number, field: string): number {
    this.#check(offset, 8, field);
    const high = this.#view.getInt32(offset + 4, true);
    if (high >= 1 << 21 || high < -(1 << 21)) {
      const value = this.#view.getBigInt64(offset, true).toString();
      throw this.invalid(field, value, 'a magnitude below 2^53');
    }
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** A view, not a copy. */
  slice(offset: number, size: number, field: string): Uint8Array {
    this.#check(offset, size, field);
    return this.bytes.subarray(offset, offset + size);
  }

  invalid(field: string, value: number | string, expected: string): PetriError {
    return this.#error('elf-invalid', field, value, expected);
  }

  unsupported(field: string, value: number | string, expected: string): PetriError {
    return this.#error('elf-unsupported', field, value, expected);
  }

  #error(code: PetriErrorCode, field: string, value: number | string, expected: string): PetriError {
    return new PetriError(`${this.file}: ${field} is ${value}, expected ${expected}`, {
      code,
      step: 'payload',
      remedy:
        code === 'elf-invalid'
          ? `look at the file with 'readelf --all --wide ${this.file}', and build or fetch it again`
          : 'build the payload as a static position-independent AArch64 ELF file, for example with `petri tmk build`',
    });
  }

  #check(offset: number, size: number, field: string): void {
    if (offset + size <= this.bytes.byteLength) return;
    throw new PetriError(
      `${this.file}: truncated: ${field} needs bytes ${hex(offset)} to ${hex(offset + size)}, ` +
        `the file has ${hex(this.bytes.byteLength)} bytes`,
      { code: 'elf-invalid', step: 'payload', remedy: 'copy or build the file again: a part of it is missing' },
    );
  }
}

const decoder = new TextDecoder('utf-8');

/** The string at an offset of a string table, up to its NUL; undefined outside of the table or without a NUL. */
export function stringAt(table: Uint8Array, offset: number): string | undefined {
  if (offset >= table.length) return undefined;
  const end = table.indexOf(0, offset);
  return end < 0 ? undefined : decoder.decode(table.subarray(offset, end));
}
