import { Duplex } from 'node:stream';

/** One port of a launcher as a stream, for protocols. */
export class PortStream {
  readonly stream: Duplex;
  /** Receives the output of the port. */
  readonly take: (bytes: Uint8Array) => void;
  #type: ((bytes: Uint8Array) => void) | undefined;
  #early: Uint8Array[] = [];

  constructor() {
    const stream = new Duplex({
      // The reader limits what is buffered.
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

  /** Sends what was written before first. */
  attach(type: (bytes: Uint8Array) => void): void {
    this.#type = type;
    for (const bytes of this.#early.splice(0)) type(bytes);
  }
}
