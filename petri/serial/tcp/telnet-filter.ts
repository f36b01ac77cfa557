/** Telnet commands: RFC 854, page 14. */
const SE = 240;
const SB = 250;
const WILL = 251;
const WONT = 252;
const DO = 253;
const DONT = 254;
const IAC = 255;

/** Bytes after which a sub-negotiation counts as ended: an endless one must not swallow a console. */
const LONGEST_SUBNEGOTIATION = 8 * 1024;

type State = 'data' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation-command';

/**
 * Removes Telnet commands from a stream and refuses every option. The result does not depend on how the bytes were
 * split when they arrived.
 *
 * Line ends are not changed: servers do not translate a UART's bytes.
 */
export class TelnetFilter {
  #state: State = 'data';
  /** The command whose option follows. */
  #command = 0;
  #skipped = 0;
  /** Refusals sent, as command and option: a repeated request gets one answer. */
  readonly #refused = new Set<number>();
  readonly #reply: (bytes: Uint8Array) => void;

  /** @param reply sends an answer to the peer */
  constructor(reply: (bytes: Uint8Array) => void) {
    this.#reply = reply;
  }

  /** The data in a chunk; the chunk itself if it contains nothing else. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#state === 'data' && !chunk.includes(IAC)) return chunk;
    const data = new Uint8Array(chunk.length);
    let length = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.#state === 'data') {
        const next = chunk.indexOf(IAC, at);
        const end = next === -1 ? chunk.length : next;
        data.set(chunk.subarray(at, end), length);
        length += end - at;
        at = end + 1;
        if (next !== -1) this.#state = 'command';
      } else {
        const byte = chunk[at] ?? 0;
        at += 1;
        if (this.#step(byte)) {
          data[length] = byte;
          length += 1;
        }
      }
    }
    return data.subarray(0, length);
  }

  /** Processes one byte that is not plain data. @returns whether it is data after all */
  #step(byte: number): boolean {
    switch (this.#state) {
      case 'command':
        return this.#onCommand(byte);
      case 'option':
        this.#refuse(byte);
        this.#state = 'data';
        return false;
      case 'subnegotiation':
        if (byte === IAC) this.#state = 'subnegotiation-command';
        else this.#skip();
        return false;
      case 'subnegotiation-command':
        return this.#onCommandInSubnegotiation(byte);
      case 'data':
        return true;
    }
  }

  #onCommand(byte: number): boolean {
    this.#state = 'data';
    if (byte === IAC) return true;
    if (byte === SB) {
      this.#state = 'subnegotiation';
      this.#skipped = 0;
    } else if (byte >= WILL) {
      this.#state = 'option';
      this.#command = byte;
    }
    return false;
  }

  #onCommandInSubnegotiation(byte: number): boolean {
    if (byte === IAC) {
      this.#state = 'subnegotiation';
      this.#skip();
      return false;
    }
    // Any other command ends it too.
    this.#state = 'data';
    return byte === SE ? false : this.#onCommand(byte);
  }

  #skip(): void {
    this.#skipped += 1;
    if (this.#skipped >= LONGEST_SUBNEGOTIATION) this.#state = 'data';
  }

  /** WONT and DONT match the initial state, so they need no answer (RFC 854, page 2). */
  #refuse(option: number): void {
    if (this.#command !== WILL && this.#command !== DO) return;
    const answer = this.#command === WILL ? DONT : WONT;
    const key = answer * 256 + option;
    if (this.#refused.has(key)) return;
    this.#refused.add(key);
    this.#reply(Uint8Array.of(IAC, answer, option));
  }
}

/** Escapes bytes for a Telnet stream: 0xff is doubled. */
export function escapeTelnet(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  const escaped: number[] = [];
  for (const byte of bytes) {
    escaped.push(byte);
    if (byte === IAC) escaped.push(byte);
  }
  return Uint8Array.from(escaped);
}
