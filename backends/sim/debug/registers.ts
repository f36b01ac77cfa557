import type { GdbFeature, GdbRegister } from '../../../petri/kit/gdb/index.ts';
import { storedRegisters } from '../cpu/index.ts';
import type { GuestDebug, GuestVcpu } from '../guests/index.ts';

/** PSTATE.EL, and its value at EL1. */
const EL = 0xc;
const EL1 = 0x4;
const GENERAL = 31;
const VECTORS = 32;
/** Offsets from V0 of the state of SIMD&FP: see `DebuggableCpu.simdOffset`. */
const FPCR = 0x200;
const FPSR = 0x208;

/** The views of a vector register that GDB's manual has for AArch64, such as `$v0.d.u`. */
const vectorTypes = ((): string => {
  const lanes = [
    ['b', 8, 16],
    ['h', 16, 8],
    ['s', 32, 4],
    ['d', 64, 2],
    ['q', 128, 1],
  ] as const;
  const floats: Readonly<Record<string, string>> = { h: 'ieee_half', s: 'ieee_single', d: 'ieee_double' };
  const views = lanes.map(([name, bits, count]) => {
    const float = floats[name];
    const types = [['u', `uint${bits}`], ['s', `int${bits}`], ...(float === undefined ? [] : [['f', float]])];
    const vectors = types.map(([sign, type]) => `<vector id="v${name}${sign}" type="${type}" count="${count}"/>`);
    const fields = types.map(([sign]) => `<field name="${sign}" type="v${name}${sign}"/>`);
    return `${vectors.join('')}<union id="vn${name}">${fields.join('')}</union>`;
  });
  const fields = lanes.map(([name]) => `<field name="${name}" type="vn${name}"/>`);
  return `${views.join('')}<union id="vector">${fields.join('')}</union>`;
})();

/** A register, and how it is kept. */
interface Row extends GdbRegister {
  read(guest: GuestDebug, where: GuestVcpu): bigint;
  write(guest: GuestDebug, where: GuestVcpu, value: bigint): boolean;
}

function row(register: GdbRegister, read: Row['read'], write: (...args: Parameters<Row['write']>) => unknown): Row {
  return { ...register, read, write: (...args) => write(...args) !== false };
}

const core: readonly Row[] = [
  ...Array.from({ length: GENERAL }, (_, n) =>
    row(
      { name: `x${n}`, bits: 64 },
      (_guest, { context }) => context.x(n),
      (_guest, { context }, value) => context.setX(n, value),
    ),
  ),
  row(
    { name: 'sp', bits: 64, type: 'data_ptr' },
    (_guest, { context }) => context.sp,
    (_guest, { context }, value) => {
      const spSel = (context.pstate & 1) === 1;
      // SP_EL2 has no name below EL3.
      if (spSel && (context.pstate & EL) !== EL1) return false;
      return context.setSysreg(storedRegisters[spSel ? 1 : 0]?.encoding ?? 0, value);
    },
  ),
  row(
    { name: 'pc', bits: 64, type: 'code_ptr' },
    (_guest, { context }) => context.pc,
    (_guest, { context }, value) => {
      context.pc = value;
    },
  ),
  row(
    { name: 'cpsr', bits: 32 },
    (_guest, { context }) => BigInt(context.pstate),
    (_guest, { context }, value) => {
      context.pstate = Number(value);
      return context.pstate === Number(value);
    },
  ),
];

const floatingPoint: readonly Row[] = [
  ...Array.from({ length: VECTORS }, (_, n) => simd({ name: `v${n}`, bits: 128, type: 'vector' }, n * 16)),
  simd({ name: 'fpsr', bits: 32, group: 'float' }, FPSR),
  simd({ name: 'fpcr', bits: 32, group: 'float' }, FPCR),
];

function simd(register: GdbRegister, offset: number): Row {
  const words = register.bits / 32;
  const at = ({ cpu }: GuestDebug, { vcpu }: GuestVcpu): number => (cpu.simdOffset(vcpu) + offset) >> 2;
  return row(
    register,
    (guest, where) => {
      let value = 0n;
      for (let n = words - 1; n >= 0; n -= 1) {
        value = (value << 32n) | BigInt(guest.cpu.memory.u32[at(guest, where) + n] ?? 0);
      }
      return value;
    },
    (guest, where, value) => {
      for (let n = 0; n < words; n += 1) {
        guest.cpu.memory.u32[at(guest, where) + n] = Number(BigInt.asUintN(32, value >> BigInt(32 * n)));
      }
    },
  );
}

const system: readonly Row[] = storedRegisters.map(({ name, encoding }) =>
  row(
    { name, bits: 64, group: 'system' },
    (_guest, { context }) => context.sysreg(encoding) ?? 0n,
    (_guest, { context }, value) => context.setSysreg(encoding, value),
  ),
);

/** What GDB is told: its standard features, and one of our own with the system registers of EL1 and EL0. */
export const features: readonly GdbFeature[] = [
  { name: 'org.gnu.gdb.aarch64.core', registers: core },
  { name: 'org.gnu.gdb.aarch64.fpu', registers: floatingPoint, types: vectorTypes },
  { name: 'petri-vm.aarch64.system', registers: system },
];

const rows: readonly Row[] = [...core, ...floatingPoint, ...system];

/** The system registers, for `monitor registers`. */
export function systemRegisters(guest: GuestDebug, where: GuestVcpu): readonly (readonly [string, bigint])[] {
  return system.map((one) => [one.name, one.read(guest, where)] as const);
}

/** @returns undefined if there is no such register */
export function readRegister(guest: GuestDebug, where: GuestVcpu, number: number): Uint8Array | undefined {
  const found = rows[number];
  if (found === undefined) return undefined;
  const bytes = Buffer.alloc(found.bits / 8);
  let value = found.read(guest, where);
  for (let at = 0; at < bytes.length; at += 1, value >>= 8n) bytes[at] = Number(value & 0xffn);
  return bytes;
}

/** @returns false if there is no such register, or the value is refused */
export function writeRegister(guest: GuestDebug, where: GuestVcpu, number: number, bytes: Uint8Array): boolean {
  const found = rows[number];
  if (found === undefined || bytes.length !== found.bits / 8) return false;
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return found.write(guest, where, value);
}
