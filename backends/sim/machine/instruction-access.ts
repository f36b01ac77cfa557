import type { CpuContext } from '../cpu/index.ts';
import type { Registers } from './register-access.ts';

/*
 * Accesses of devices by instructions for which a data abort has no syndrome: pairs, SIMD&FP registers, and forms that
 * write the base register back. A machine has no hypervisor that could refuse them.
 */

/** SP_EL0 and SP_EL1, and PSTATE.M of EL1h. */
const SP_EL0 = 0xc208;
const SP_EL1 = 0xe208;
const MODE = 0x1f;
const EL1H = 5;
const SP_OR_ZERO = 31;
const PAGE_MASK = 0xfffn;

/** What an instruction transfers at its address. */
interface Transfer {
  readonly load: boolean;
  readonly simd: boolean;
  /** Of each register. */
  readonly bytes: 1 | 2 | 4 | 8 | 16;
  /** Bits to which a load extends the sign; undefined for zero. */
  readonly signTo?: 32 | 64;
  readonly registers: readonly number[];
  /** Rn, its offset, and whether that is added before the access. */
  readonly writeBack?: { readonly base: number; readonly offset: number; readonly before: boolean };
}

/** Loads and stores of one register or a pair (Arm ARM, C4.1.94); undefined for other instructions. */
function transferOf(word: number): Transfer | undefined {
  const rt = word & 31;
  const base = (word >>> 5) & 31;
  const simd = (word & (1 << 26)) !== 0;
  const mode = (word >>> 23) & 3;
  if ((word & 0x3a00_0000) === 0x2800_0000) {
    const opc = word >>> 30;
    const load = (word & (1 << 22)) !== 0;
    // LDPSW exists, STGP of MTE does not.
    if (opc === 3 || (!simd && opc === 1 && !load)) return undefined;
    const bytes = simd ? ([4, 8, 16] as const)[opc as 0 | 1 | 2] : opc === 2 ? 8 : 4;
    const offset = (((word >>> 15) & 0x7f) - ((word >>> 21) & 1) * 0x80) * bytes;
    return {
      load,
      simd,
      bytes,
      registers: [rt, (word >>> 10) & 31],
      ...(!simd && opc === 1 && { signTo: 64 as const }),
      ...((mode & 1) === 1 && { writeBack: { base, offset, before: mode === 3 } }),
    };
  }
  if ((word & 0x3a00_0000) !== 0x3800_0000) return undefined;
  const opc = (word >>> 22) & 3;
  const size = (word >>> 30) + (simd && opc >= 2 ? 4 : 0);
  const unsigned = (word & (1 << 24)) !== 0;
  const form = (word >>> 10) & 3;
  const register = !unsigned && (word & (1 << 21)) !== 0;
  const indexed = !unsigned && !register && (form & 1) === 1;
  // Of registers without SIMD&FP the other forms have a syndrome, or are atomics.
  if (size > 4 || (!simd && (!indexed || (opc >= 2 && size + opc > 4)))) return undefined;
  if (register && form !== 2) return undefined;
  const offset = ((word >>> 12) & 0xff) - ((word >>> 20) & 1) * 0x100;
  return {
    load: simd ? (opc & 1) === 1 : opc !== 0,
    simd,
    bytes: ([1, 2, 4, 8, 16] as const)[size as 0 | 1 | 2 | 3 | 4],
    registers: [rt],
    ...(!simd && opc >= 2 && { signTo: opc === 2 ? (64 as const) : (32 as const) }),
    ...(indexed && { writeBack: { base, offset, before: form === 3 } }),
  };
}

/**
 * Serves a data abort by devices, by its instruction, but for PC, which the caller moves on.
 *
 * @param memory linear memory @param simd offset of V0 in it @param word the instruction
 * @param ipa of the first byte that faulted
 * @returns false, with nothing done, for an instruction that is none of these, or an access that begins in RAM
 */
export function serveInstruction(
  devices: Registers,
  context: CpuContext,
  memory: Uint8Array,
  simd: number,
  word: number,
  ipa: number,
): boolean {
  const transfer = transferOf(word);
  if (transfer === undefined) return false;
  const { bytes, registers, writeBack } = transfer;
  if (writeBack !== undefined) {
    const from = readBase(context, writeBack.base);
    const after = BigInt.asUintN(64, from + BigInt(writeBack.offset));
    if (((writeBack.before ? after : from) & PAGE_MASK) !== (BigInt(ipa) & PAGE_MASK)) return false;
    // Before a load that may have the same register: what that reads is then kept.
    access(after);
    return true;
  }
  access(undefined);
  return true;

  function access(after: bigint | undefined): void {
    const values = registers.map((register) => (transfer?.load === true ? 0n : read(register)));
    if (after !== undefined && writeBack !== undefined) writeBase(context, writeBack.base, after);
    registers.forEach((register, index) => {
      const at = ipa + index * bytes;
      if (transfer?.load === true) write(register, readDevice(devices, at, bytes));
      else writeDevice(devices, at, bytes, values[index] ?? 0n);
    });
  }

  function read(register: number): bigint {
    if (transfer?.simd !== true) return register === SP_OR_ZERO ? 0n : context.x(register);
    const view = new DataView(memory.buffer, memory.byteOffset + simd + register * 16, 16);
    return (view.getBigUint64(8, true) << 64n) | view.getBigUint64(0, true);
  }

  function write(register: number, value: bigint): void {
    if (transfer?.simd === true) {
      const view = new DataView(memory.buffer, memory.byteOffset + simd + register * 16, 16);
      view.setBigUint64(0, BigInt.asUintN(64, value), true);
      view.setBigUint64(8, value >> 64n, true);
    } else if (register !== SP_OR_ZERO) {
      const signTo = transfer?.signTo;
      context.setX(register, signTo === undefined ? value : BigInt.asUintN(signTo, BigInt.asIntN(bytes * 8, value)));
    }
  }
}

function readBase(context: CpuContext, register: number): bigint {
  return register === SP_OR_ZERO ? context.sp : context.x(register);
}

function writeBase(context: CpuContext, register: number, value: bigint): void {
  if (register !== SP_OR_ZERO) context.setX(register, value);
  else context.setSysreg((context.pstate & MODE) === EL1H ? SP_EL1 : SP_EL0, value);
}

/** By accesses of at most 8 bytes, the lower address first. */
function readDevice(devices: Registers, at: number, bytes: number): bigint {
  if (bytes < 4) return BigInt.asUintN(bytes * 8, BigInt(devices.read(at, bytes as 1 | 2)));
  let value = 0n;
  for (let n = 0; n < bytes; n += 4) value |= BigInt(devices.read(at + n, 4) >>> 0) << BigInt(n * 8);
  return value;
}

function writeDevice(devices: Registers, at: number, bytes: number, value: bigint): void {
  for (let n = 0; n < bytes; n += 8) {
    const part = BigInt.asUintN(Math.min(bytes, 8) * 8, value >> BigInt(n * 8));
    devices.write(at + n, Math.min(bytes, 8) as 1 | 2 | 4 | 8, Number(part & 0xffff_ffffn), Number(part >> 32n));
  }
}
