import { writeSync } from 'node:fs';

const MODEL = 'FVP_Base_RevC_2xAEMvA';

/** As C's stdio: a full buffer is written when the output is no terminal. */
const BLOCK = 4096;

/** How the lines of a model of this generation look: bare, with `Info:`, or only through a terminal's command. */
export type Generation = 1 | 2 | 3;

/** The model's standard output. Written synchronously, so nothing is lost when the process ends at once. */
export class ModelOutput {
  readonly #generation: Generation;
  readonly #buffered: boolean;
  #pending = '';

  constructor(options: { readonly generation: Generation; readonly buffered: boolean }) {
    this.#generation = options.generation;
    this.#buffered = options.buffered;
  }

  print(text: string): void {
    this.#pending += text;
    if (!this.#buffered) this.flush();
    while (this.#pending.length >= BLOCK) {
      this.#write(this.#pending.slice(0, BLOCK));
      this.#pending = this.#pending.slice(BLOCK);
    }
  }

  info(text: string): void {
    if (this.#generation === 1) this.print(`${text}\n`);
    else this.print(`\nInfo: ${MODEL}: ${text}\n`);
  }

  warning(text: string): void {
    this.print(`\nWarning: ${MODEL}: ${text}\nIn file: (unknown):0\n`);
  }

  flush(): void {
    this.#write(this.#pending);
    this.#pending = '';
  }

  #write(text: string): void {
    let bytes: Uint8Array = Buffer.from(text);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(1, bytes));
      } catch (error) {
        // A pipe that someone set to non-blocking is full: there is nothing to wait on here but time.
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }
}

/** The block that `--stat` asks for. */
export function statistics(wallSeconds: number): string {
  const time = (seconds: number): string => `${seconds.toFixed(6)}s`;
  return `
--- ${MODEL} statistics: -----------------------------------------
Simulated time                          : ${time(wallSeconds * 0.44)}
User time                               : ${time(wallSeconds)}
Wall time                               : ${time(wallSeconds)}
Performance index                       : 0.44
cluster0.cpu0                           :  10.57 MIPS (  4539102713 Inst)
Memory highwater mark                   : 0x131c74000 bytes ( 4.778 GiB )
-------------------------------------------------------------------------------
`;
}

/** What `--version` prints. */
export const versionText = `
Fast Models [11.31.28 (Mar  1 2026)]
Copyright 2000-2026 ARM Limited.
All Rights Reserved.


Info: /OSCI/SystemC: Simulation stopped by user.
`;
