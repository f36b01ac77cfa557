import type { TmkEvent } from '../contract/index.ts';

/** Where a TMK stores the address of a command (OpenVMM `tmk/tmk_protocol`). In a realm: protected, RIPAS EMPTY. */
export const COMMAND_ADDRESS = 0xffff_0000;

/** Bytes of a command block. All of them must be readable, even for short commands. */
export const COMMAND_SIZE = 48;

/** Bytes of the StartInput structure, whose address a TMK gets in X0. */
export const START_INPUT_SIZE = 16;

/** Bound on a string in a command. The protocol's own log buffer has 1,024 bytes. */
export const MAX_STRING_BYTES = 0x1_0000;

/** Reads guest memory by physical address; undefined if any byte of the range is not RAM of the guest. */
export type ReadGuestMemory = (gpa: number, length: number) => Uint8Array | undefined;

/** StartInput: command u64 at 0, test_index u64 at 8. */
export function encodeStartInput(testIndex: number): Uint8Array {
  const bytes = new Uint8Array(START_INPUT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(COMMAND_ADDRESS), true);
  view.setBigUint64(8, BigInt(testIndex), true);
  return bytes;
}

/**
 * Decodes a command. Never throws: whatever the guest wrote, the result is an event, `rejected` with the reason for
 * everything that the protocol does not allow.
 *
 * @param block the `COMMAND_SIZE` bytes at the address that the guest stored
 */
export function decodeCommand(block: Uint8Array, readMemory: ReadGuestMemory): TmkEvent {
  if (block.length < COMMAND_SIZE) return rejected(`the command has ${block.length} of ${COMMAND_SIZE} bytes`);
  const view = new DataView(block.buffer, block.byteOffset, COMMAND_SIZE);
  const discriminant = view.getUint32(0, true);
  switch (discriminant) {
    case 0: {
      const message = readString(view, 8, 'message', readMemory);
      return message.text === undefined ? rejected(`log: ${message.problem}`) : { kind: 'log', message: message.text };
    }
    case 1: {
      const message = readString(view, 8, 'message', readMemory);
      if (message.text === undefined) return rejected(`panic: ${message.problem}`);
      const file = readString(view, 24, 'file name', readMemory);
      if (file.text === undefined) return rejected(`panic: ${file.problem}`);
      return { kind: 'panic', message: message.text, file: file.text, line: view.getUint32(40, true) };
    }
    case 2: {
      const success = view.getUint8(4);
      if (success > 1) return rejected(`complete: success is ${success}, a bool is 0 or 1`);
      return { kind: 'complete', success: success === 1 };
    }
    default:
      return rejected(`unknown command ${discriminant} (log is 0, panic 1, complete 2)`);
  }
}

function rejected(message: string): TmkEvent {
  return { kind: 'rejected', message };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type GuestString = { readonly text: string } | { readonly text?: undefined; readonly problem: string };

/** A string given by its address and length, both 64-bit, at an offset of the command. */
function readString(view: DataView, offset: number, what: string, readMemory: ReadGuestMemory): GuestString {
  const gpa = addressAt(view, offset);
  const length = addressAt(view, offset + 8);
  // The address of an empty string is arbitrary: Rust uses the alignment.
  if (length === 0) return { text: '' };
  const range = `${what} of ${hex64(view, offset + 8)} bytes at ${hex64(view, offset)}`;
  if (length > MAX_STRING_BYTES) return { problem: `${range} is longer than ${MAX_STRING_BYTES} bytes` };
  const bytes = Number.isSafeInteger(gpa + length) ? readMemory(gpa, length) : undefined;
  if (bytes?.length !== length) return { problem: `${range} is outside of RAM` };
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    return { problem: `${range} is not valid UTF-8` };
  }
}

/** A 64-bit value; inexact above 2^53, where no address or length is accepted anyway. */
function addressAt(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function hex64(view: DataView, offset: number): string {
  return `0x${view.getBigUint64(offset, true).toString(16)}`;
}
