import { Duplex } from 'node:stream';

/** One port of a launcher as a stream, for those who speak a protocol over one. */
export class PortStream {
  readonly stream: Duplex;
  /** Takes what comes out of the port. */
  readonly take: (bytes: Uint8Array) => void;
  #type: ((bytes: Uint8Array) => void) | undefined;
  #early: Uint8Array[] = [];

  constructor() {
    const stream = new Duplex({
      // Whoever reads it bounds what is read.
      read: () => undefined,
      write: (bytes: Buffer, _encoding, done) => {
        if (this.#type === undefined) this.#early.push(bytes);
        else this.#type(bytes);
        done();
      },
    });
    stream.on('error', () => undefined);
    this.stream = stream;
    this.take = (bytes) => {
      if (!stream.destroyed) stream.push(bytes);
    };
  }

  /** What was written before goes there first. */
  attach(type: (bytes: Uint8Array) => void): void {
    this.#type = type;
    for (const bytes of this.#early.splice(0)) type(bytes);
  }
}
