import type { Misbehaviour } from '../misbehaviour.ts';
import { kernelNoise } from './boot-texts.ts';
import type { Terminal } from './terminal.ts';

const encoder = new TextEncoder();

/**
 * The UARTs as the worlds see them: whoever writes to one that nobody empties stands still, and everyone else with it.
 */
export class Worlds {
  readonly terminals: readonly (Terminal | undefined)[];
  readonly #misbehaviour: Misbehaviour;
  #interleaved = false;
  #outputBytes = 0;

  constructor(terminals: readonly (Terminal | undefined)[], misbehaviour: Misbehaviour) {
    this.terminals = terminals;
    this.#misbehaviour = misbehaviour;
  }

  /** Whether any UART holds up the model. */
  get blocked(): boolean {
    return this.terminals.some((terminal) => terminal?.blocked);
  }

  async unblocked(): Promise<void> {
    for (const terminal of this.terminals) await terminal?.unblocked();
  }

  /** Prints a line with the line end of firmware and kernels. */
  async print(index: number, line: string): Promise<void> {
    await this.unblocked();
    const text = this.#misbehaviour.has('noise') ? `\x00\x0c\x1b[0m${line}\x1b[K\x07` : line;
    const noise = this.#misbehaviour.has('noise') ? [Uint8Array.of(0xff, 0xfe, 0x00)] : [];
    const bytes = Buffer.concat([encoder.encode(text), ...noise, encoder.encode('\r\n')]);
    if (this.#misbehaviour.has('interleave') && index === 0 && !this.#interleaved && line.length > 30) {
      this.#interleaved = true;
      await this.raw(
        0,
        Buffer.concat([bytes.subarray(0, 20), encoder.encode(`${kernelNoise}\r\n`), bytes.subarray(20)]),
      );
    } else await this.raw(index, bytes);
    const delay = this.#misbehaviour.number('delay');
    if (delay !== undefined) await sleep(delay);
  }

  /** Bytes as they are, or in two writes with a moment between them. */
  async raw(index: number, bytes: Uint8Array): Promise<void> {
    const terminal = this.terminals[index];
    if (!this.#misbehaviour.has('split')) {
      terminal?.write(bytes);
      return;
    }
    const middle = Math.ceil(bytes.length / 2);
    terminal?.write(bytes.subarray(0, middle));
    await sleep(2);
    terminal?.write(bytes.subarray(middle));
  }

  /** What the guest's programs print, with what may happen to it on the way. */
  async guestOutput(bytes: Uint8Array, isTestOutput: boolean): Promise<void> {
    await this.raw(0, isTestOutput ? this.#disturb(bytes) : bytes);
    await this.unblocked();
  }

  #disturb(bytes: Uint8Array): Uint8Array {
    const start = this.#outputBytes;
    this.#outputBytes += bytes.length;
    const within = (offset: number | undefined): number | undefined =>
      offset !== undefined && offset >= start && offset < this.#outputBytes ? offset - start : undefined;
    const drop = within(this.#misbehaviour.number('drop'));
    if (drop !== undefined) return Buffer.concat([bytes.subarray(0, drop), bytes.subarray(drop + 1)]);
    const garble = within(this.#misbehaviour.number('garble'));
    if (garble !== undefined) {
      const garbled = Uint8Array.from(bytes);
      garbled[garble] = 0xfe;
      return garbled;
    }
    const interleave = this.#misbehaviour.has('interleave') ? within(40) : undefined;
    if (interleave !== undefined) {
      const noise = encoder.encode(`\r\n${kernelNoise}\r\n`);
      return Buffer.concat([bytes.subarray(0, interleave), noise, bytes.subarray(interleave)]);
    }
    return bytes;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
