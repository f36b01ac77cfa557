/** A device of the host in the realm's unprotected IPA space. */
export interface MmioDevice {
  /** First IPA, without the bit that makes it unprotected: the address that kvmtool uses for the device. */
  readonly base: number;
  readonly bytes: number;
  /** @param bytes 1, 2, 4 or 8 @returns what the guest reads, in the low bits */
  read(offset: number, bytes: number): bigint;
  write(offset: number, bytes: number, value: bigint): void;
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** The devices of one VM. At other addresses reads return all ones and writes are ignored. */
export class MmioBus {
  readonly #devices: MmioDevice[] = [];

  attach(device: MmioDevice): void {
    this.#devices.push(device);
  }

  read(address: number, bytes: number): bigint {
    const device = this.#at(address, bytes);
    return device === undefined ? ALL_ONES : device.read(address - device.base, bytes);
  }

  write(address: number, bytes: number, value: bigint): void {
    const device = this.#at(address, bytes);
    device?.write(address - device.base, bytes, value);
  }

  #at(address: number, bytes: number): MmioDevice | undefined {
    return this.#devices.find(({ base, bytes: size }) => address >= base && address + bytes <= base + size);
  }
}
