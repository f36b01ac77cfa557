import { encodeSysreg as e, keeps, type RegisterRow } from './row.ts';

/** ID_AA64DFR0_EL1.BRPs and WRPs, plus one. */
export const BREAKPOINTS = 6;
export const WATCHPOINTS = 4;

/** The value and control registers of one kind of comparator. */
function comparators(kind: string, count: number, value: number, control: number): Record<string, RegisterRow> {
  const rows: Record<string, RegisterRow> = {};
  for (let n = 0; n < count; n++) {
    rows[`DBG${kind}VR${n}_EL1`] = keeps(e(2, 0, 0, n, value), { el2Traps: true });
    rows[`DBG${kind}CR${n}_EL1`] = keeps(e(2, 0, 0, n, control), { el2Traps: true });
  }
  return rows;
}

/** Breakpoints and watchpoints of self-hosted debug (Arm ARM, D24.3). */
export const debugRegisters = {
  ...comparators('B', BREAKPOINTS, 4, 5),
  ...comparators('W', WATCHPOINTS, 6, 7),
};
