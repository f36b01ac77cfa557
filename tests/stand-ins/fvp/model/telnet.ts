const IAC = 0xff;
const SE = 0xf0;
const SB = 0xfa;
const WILL = 0xfb;

/**
 * WILL ECHO, WILL SUPPRESS-GO-AHEAD, DO SUPPRESS-GO-AHEAD: what the stand-in offers (RFC 854, 857, 858). The model's
 * own bytes are not on record.
 */
export const negotiation = Uint8Array.of(IAC, 0xfb, 1, IAC, 0xfb, 3, IAC, 0xfd, 3);

/** Data on its way out: IAC is doubled. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}

/** Takes the commands out of what a client sends; keeps its place between chunks. */
export class TelnetInput {
  #state: 'data' | 'iac' | 'option' | 'sub' | 'sub-iac' = 'data';

  data(bytes: Uint8Array): Uint8Array {
    return Uint8Array.from([...bytes].filter((byte) => this.#isData(byte)));
  }

  #isData(byte: number): boolean {
    switch (this.#state) {
      case 'data':
        if (byte === IAC) this.#state = 'iac';
        return byte !== IAC;
      case 'iac':
        this.#state = byte === SB ? 'sub' : byte >= WILL && byte < IAC ? 'option' : 'data';
        return byte === IAC;
      case 'option':
        this.#state = 'data';
        return false;
      case 'sub':
        if (byte === IAC) this.#state = 'sub-iac';
        return false;
      case 'sub-iac':
        this.#state = byte === SE ? 'data' : 'sub';
        return false;
    }
  }
}
