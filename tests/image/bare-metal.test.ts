import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { image, petriTest } from 'petri-vm';

const folder = mkdtempSync(join(tmpdir(), 'petri-image-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes the words of a program to a file. */
function program(name: string, words: readonly number[]): string {
  const file = join(folder, name);
  writeFileSync(file, Uint8Array.from(new Uint8Array(Uint32Array.from(words).buffer)));
  return file;
}

const UART = 0xd2a1_2001; // mov x1, #0x09000000
const HVC = 0xd400_0002; // hvc #0
const SYSTEM_OFF = [0x5280_0100, 0x72b0_8000, HVC]; // mov w0, #0x84000008
const SYSTEM_RESET = [0x5280_0120, 0x72b0_8000, HVC]; // mov w0, #0x84000009

/** Prints a character. */
function put(character: string): number[] {
  return [0x5280_0002 | (character.charCodeAt(0) << 5), 0xb900_0022]; // mov w2, #character; str w2, [x1]
}

const hello = program('hello', [UART, ...Array.from('hello\n', put).flat(), ...SYSTEM_OFF]);

petriTest(
  'none',
  'a raw image prints and powers off',
  { payload: image({ file: hello }), memory: '64M' },
  async ({ vm, expect }) => {
    await vm.serial.waitFor('hello');
    expect(await vm.halted).toEqual({ reason: 'power-off' });
  },
);

const waiting = program('waiting', [
  UART,
  0x5280_6022, // mov w2, #0x301
  0xb900_3022, // str w2, [x1, #0x30]: UARTCR, the receiver is enabled
  ...put('>'),
  0xb940_1823, // ldr w3, [x1, #0x18]: UARTFR
  0x3727_ffe3, // tbnz w3, #4, -4: while the receive FIFO is empty
  0xb940_0022, // ldr w2, [x1]
  0xb900_0022, // str w2, [x1]
  ...SYSTEM_RESET,
]);

petriTest(
  'none',
  'a raw image takes input and resets',
  { payload: image({ file: waiting }), memory: '64M', requires: ['serial.write'] },
  async ({ vm, expect }) => {
    await vm.serial.waitFor('>');
    await vm.serial.write('x');
    await vm.serial.waitFor('x');
    expect(await vm.halted).toEqual({ reason: 'reset' });
  },
);
