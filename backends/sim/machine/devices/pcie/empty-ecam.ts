import type { Device } from '../../device.ts';

/** Configuration space of a PCIe host bridge without functions: all ones; writes are ignored (PCIe 5.0, 7.2.2). */
export class EmptyEcam implements Device {
  read(): number {
    return 0xffff_ffff;
  }

  write(): void {
    // Nobody completes the request.
  }
}
