import type { ExceptionState } from '../arm/index.ts';
import { imagePages, placeTmk, encodeStartInput, type ReadGuestMemory } from '../../tmk/index.ts';
import type { TmkPayload, Registers } from '../../contract/index.ts';
import type { MonitorRecord } from './record-reader.ts';

/** Version of the protocol between this side and the monitor (artifacts/monitor/monitor.c, VERSION). */
export const MONITOR_VERSION = 1;

const RecordType = { READY: 1, COMMAND: 2, STATE: 3, FAULT: 4, POWER_OFF: 5, RESET: 6, UNSERVED: 7 } as const;
const RequestType = { MEMORY: 1, LOAD: 2, START: 3, CONTINUE: 4 } as const;
const REQUEST_BYTES = 40;

/** The guest's state at an exit, and why it exited. */
export interface GuestState {
  readonly registers: Registers;
  readonly exception: ExceptionState;
  /** ESR_EL2 bits 31:0. */
  readonly esr: number;
  /** From HPFAR_EL2 and FAR_EL2, for aborts. */
  readonly ipa: bigint;
}

/** A message of the monitor. */
export type MonitorMessage =
  /** The machine is up; `touched` blocks of 2 MiB had to be cleared first. */
  | { readonly kind: 'ready'; readonly version: number; readonly touched: number }
  /** The guest stored to the command address. With `waits`, it continues only on request. */
  | {
      readonly kind: 'store';
      readonly pointer: number;
      readonly bytes: number;
      readonly waits: boolean;
      /** Reads the memory that the command needs, if it is RAM. */
      readonly read: ReadGuestMemory;
    }
  | { readonly kind: 'state'; readonly state: GuestState }
  | { readonly kind: 'fault' | 'power-off' | 'reset'; readonly state: GuestState }
  /** An access to an address without RAM or a device. */
  | { readonly kind: 'unserved'; readonly ipa: bigint; readonly esr: number; readonly value: bigint };

/** @throws RangeError for a body that is too short, Error for a record of unknown type */
export function decodeRecord({ type, body }: MonitorRecord): MonitorMessage {
  switch (type) {
    case RecordType.READY:
      return { kind: 'ready', version: word(body, 0), touched: word(body, 1) };
    case RecordType.COMMAND:
      return {
        kind: 'store',
        pointer: word(body, 0),
        bytes: word(body, 1),
        waits: word(body, 2) !== 0,
        read: rangeReader(body),
      };
    case RecordType.STATE:
      return { kind: 'state', state: decodeState(body) };
    case RecordType.FAULT:
      return { kind: 'fault', state: decodeState(body) };
    case RecordType.POWER_OFF:
      return { kind: 'power-off', state: decodeState(body) };
    case RecordType.RESET:
      return { kind: 'reset', state: decodeState(body) };
    case RecordType.UNSERVED:
      return { kind: 'unserved', ipa: big(body, 0), esr: word(body, 1), value: big(body, 2) };
    default:
      throw new Error(`a record has the unknown type ${type}`);
  }
}

function big(body: DataView, index: number): bigint {
  return body.getBigUint64(8 * index, true);
}

function word(body: DataView, index: number): number {
  return Number(big(body, index));
}

function decodeState(body: DataView): GuestState {
  const x = Array.from({ length: 31 }, (_, n) => big(body, n));
  const [sp, pc, pstate, esr, far, hpfar, vbar, elr, spsr, esr1] = [31, 32, 33, 34, 35, 36, 37, 38, 39, 40].map((n) =>
    big(body, n),
  ) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  return {
    registers: { x, sp, pc, pstate },
    exception: { pc, vbar, elr, spsr, esr: esr1 },
    esr: Number(esr & 0xffff_ffffn),
    // HPFAR_EL2.FIPA holds bits 51:12 of the IPA at bits 43:4.
    ipa: (((hpfar >> 4n) & 0xff_ffff_ffffn) << 12n) | (far & 0xfffn),
  };
}

const RANGES_AT = 4 * 8;
const MAX_RANGES = 3;

/** Reads only the ranges of guest memory that a command record contains. */
function rangeReader(body: DataView): ReadGuestMemory {
  const ranges: { readonly ipa: number; readonly bytes: Uint8Array }[] = [];
  const count = word(body, 3);
  if (count > MAX_RANGES) throw new Error(`a command has ${count} ranges`);
  let at = RANGES_AT;
  for (let index = 0; index < count; index++) {
    const length = Number(body.getBigUint64(at + 8, true));
    if (length > body.byteLength - at - 16)
      throw new RangeError(`a range of ${length} bytes is longer than its record`);
    ranges.push({
      ipa: Number(body.getBigUint64(at, true)),
      bytes: new Uint8Array(body.buffer, body.byteOffset + at + 16, length),
    });
    at += 16 + length;
  }
  return (gpa, length) => ranges.find(({ ipa, bytes }) => ipa === gpa && bytes.length === length)?.bytes;
}

function request(type: number, ...args: readonly number[]): Buffer {
  const bytes = Buffer.alloc(REQUEST_BYTES);
  [type, ...args].forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), 8 * index));
  return bytes;
}

/** Resumes a guest after a command that does not end the test. */
export const continueRequest = request(RequestType.CONTINUE);

export interface GuestPlace {
  /** Intermediate physical address of the guest's RAM: a multiple of 2 MiB. */
  readonly ramBase: number;
  readonly ramBytes: number;
}

/**
 * The requests that make the monitor load a TMK and run one of its tests, to be sent in order.
 *
 * @throws PetriError `payload-too-large`
 */
export function* bootRequests(
  payload: TmkPayload,
  { ramBase, ramBytes }: GuestPlace,
  testIndex: number,
): Generator<Uint8Array, void, void> {
  const placement = placeTmk(payload, ramBase, ramBytes);
  yield request(RequestType.MEMORY, ramBase, ramBytes);
  for (const { address, bytes } of imagePages(payload, ramBase)) {
    if (bytes.every((byte) => byte === 0)) continue;
    yield request(RequestType.LOAD, address, bytes.length);
    yield bytes.slice();
  }
  const startInput = encodeStartInput(testIndex);
  yield request(RequestType.LOAD, placement.startInput, startInput.length);
  yield startInput;
  yield request(RequestType.START, placement.entry, placement.startInput);
}
