import { WordRegisters } from '../device.ts';

/** PeriphID0 to 3 and PCellID0 to 3 are the last eight words of the first 4 KiB. */
const IDENTIFICATION = 0xfe0;
const FRAME_BYTES = 0x1000;
const ARM = 0x41;
const CELL = [0x0d, 0xf0, 0x05, 0xb1];

/** An Arm PrimeCell: registers that drivers identify by the last words of their frame. */
export abstract class PrimeCell extends WordRegisters {
  readonly #identification: readonly number[];

  /** @param identity part number as in the name of the part, and revision, with what PeriphID3 has */
  constructor({ part, revision, configuration = 0 }: { part: number; revision: number; configuration?: number }) {
    super();
    this.#identification = [
      part & 0xff,
      ((ARM & 15) << 4) | (part >>> 8),
      (revision << 4) | (ARM >>> 4),
      configuration,
      ...CELL,
    ];
  }

  /** @param offset a multiple of 4, before the identification */
  protected abstract readRegister(offset: number): number;
  /** @param offset a multiple of 4, before the identification @param value unsigned */
  protected abstract writeRegister(offset: number, value: number): void;

  protected override readWord(offset: number): number {
    if (offset < IDENTIFICATION) return this.readRegister(offset);
    return offset < FRAME_BYTES ? (this.#identification[(offset - IDENTIFICATION) / 4] ?? 0) : 0;
  }

  protected override writeWord(offset: number, value: number): void {
    if (offset < IDENTIFICATION) this.writeRegister(offset, value);
  }
}
