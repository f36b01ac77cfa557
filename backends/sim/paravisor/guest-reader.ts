import type { ReadGuestMemory } from '../../../petri/tmk/index.ts';
import { GRANULE_SIZE } from '../machine/index.ts';
import type { Plane0Port } from '../rmm/index.ts';

/**
 * Reads the memory of plane 1 through plane 0's mapping. A read cannot wait until the host maps a page: for a missing
 * page it continues with zeros and reports the page in `unmapped`. The caller has it mapped and reads again.
 */
export class GuestReader {
  /** IPA of the first byte that could not be read, or -1. */
  unmapped = -1;
  readonly #port: Plane0Port;
  readonly #ram: { readonly base: number; readonly bytes: number };

  constructor(port: Plane0Port, ram: { readonly base: number; readonly bytes: number }) {
    this.#port = port;
    this.#ram = ram;
  }

  readonly read: ReadGuestMemory = (gpa, length) => {
    const { base, bytes } = this.#ram;
    if (gpa < base || gpa + length > base + bytes) return undefined;
    const memory = this.#port.linear.u8;
    const into = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, GRANULE_SIZE - ((gpa + done) % GRANULE_SIZE));
      const offset = this.#port.locate(gpa + done, false);
      if (offset >= 0) into.set(memory.subarray(offset, offset + part), done);
      else if (this.unmapped < 0) this.unmapped = gpa + done;
      done += part;
    }
    return into;
  };
}
