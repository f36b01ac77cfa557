import { cpuInterface } from '../gic/cpu-interface.ts';
import { virtualInterfaceRegisters } from '../gic/virtual-registers.ts';
import { ContextState } from '../layout.ts';
import { debugRegisters } from './registers/debug.ts';
import { hypervisorRegisters } from './registers/hypervisor.ts';
import { identificationRegisters, unnamedIdentification } from './registers/identification.ts';
import { keptRegisters } from './registers/kept.ts';
import { performanceRegisters } from './registers/performance.ts';
import { encodeSysreg, type RegisterRow } from './registers/row.ts';
import { stateRegisters } from './registers/state.ts';
import { timerRegisters } from './registers/timer.ts';

export { encodeSysreg } from './registers/row.ts';

/** A system register of the PE. */
export interface Sysreg extends RegisterRow {
  readonly name: string;
  /** Offset of the stored value in the state; -1 if there is none. */
  readonly slot: number;
  readonly reset: bigint;
  readonly writable: bigint;
}

const table = {
  ...keptRegisters,
  ...debugRegisters,
  ...timerRegisters,
  ...cpuInterface,
  ...performanceRegisters,
  ...identificationRegisters,
  ...stateRegisters,
  ...hypervisorRegisters,
} satisfies Readonly<Record<string, RegisterRow>>;

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** Number of system registers for which a context has room. */
const MAX_IN_ARRAY = (ContextState.PacMasks - ContextState.Sysregs) / 8;

function place(): readonly Sysreg[] {
  let used = 0;
  const placed = Object.entries<RegisterRow>({ ...table, ...virtualInterfaceRegisters }).map(([name, row]): Sysreg => {
    const slot = row.place === 'array' ? ContextState.Sysregs + used++ * 8 : (row.place ?? -1);
    return { ...row, name, slot, reset: row.reset ?? 0n, writable: row.writable ?? ALL_ONES };
  });
  const named = new Set(placed.map(({ encoding }) => encoding));
  for (const row of unnamedIdentification) {
    const { encoding } = row;
    const name = `S3_0_C0_C${(encoding >> 3) & 15}_${encoding & 7}`;
    if (!named.has(encoding)) placed.push({ ...row, name, slot: -1, reset: 0n, writable: ALL_ONES });
  }
  if (used > MAX_IN_ARRAY) throw new RangeError('more system registers than a context has room for');
  return placed;
}

/** Every system register, each once. */
export const sysregs: readonly Sysreg[] = place();

/** Index into the list above, zero for none: a table, since a guest may read a counter in a loop. */
const byEncoding: readonly (Sysreg | undefined)[] = [undefined, ...sysregs];
const indexes = new Uint16Array(0x1_0000);
byEncoding.forEach((row, index) => {
  if (row !== undefined) indexes[row.encoding] = index;
});

/** @param encoding below 2^16 */
export function findSysreg(encoding: number): Sysreg | undefined {
  return byEncoding[indexes[encoding] ?? 0];
}

/** Place of a register that generated code may access with a plain move at any Exception level, else undefined. */
export function userSysregSlot(encoding: number, write: boolean): number | undefined {
  const row = findSysreg(encoding);
  if (row === undefined || row.slot < 0 || row.writable !== ALL_ONES || row.read !== undefined) return undefined;
  if (row.el0 !== undefined) return undefined;
  return row.el === 0 || (row.readEl === 0 && !write) ? row.slot : undefined;
}

/** Place of a register that generated code may access with a plain move at EL1, else undefined. */
export function privilegedSysregSlot(encoding: number, write: boolean): number | undefined {
  const row = findSysreg(encoding);
  if (row === undefined || row.slot < 0 || row.el !== 1 || row.readEl !== undefined) return undefined;
  if (row.el0 !== undefined || row.simd === true || row.trapsWrites === true) return undefined;
  if (row.el2Traps === true) return undefined;
  if (!write) return row.read === undefined ? row.slot : undefined;
  const plain = row.writable === ALL_ONES && row.write === undefined;
  // Of CPACR_EL1 depends how code is fetched.
  return plain && row.stage1 === undefined && row.name !== 'CPACR_EL1' ? row.slot : undefined;
}

/** Encodings by name. */
export const sysreg = {
  NZCV: encodeSysreg(3, 3, 4, 2, 0),
  // Safe: each name in the table has an encoding.
  ...(Object.fromEntries(sysregs.map(({ name, encoding }) => [name, encoding])) as Record<keyof typeof table, number>),
};

/** The system registers that a context keeps a value of, for `CpuContext.sysreg` and `setSysreg`. */
export const storedRegisters: readonly { readonly name: string; readonly encoding: number }[] = [
  { name: 'SP_EL0', encoding: sysreg.SP_EL0 },
  { name: 'SP_EL1', encoding: sysreg.SP_EL1 },
  ...sysregs
    .filter(({ slot }) => slot >= 0 && slot < ContextState.Size)
    .map(({ name, encoding }) => ({ name, encoding })),
];

/** Offset of the stored value of a register, for the CPU's own use. */
export function slotOf(name: keyof typeof table): number {
  const register = sysregs.find((candidate) => candidate.name === name);
  if (register === undefined || register.slot < 0) throw new RangeError(`the system register ${name} has no place`);
  return register.slot;
}
