import { El2Slot } from '../el2/el2-state.ts';
import { COUNTER_FREQUENCY, timerControl, virtualCounterAt } from '../generic-timer.ts';
import {
  behaves,
  constant,
  type El0Control,
  encodeSysreg as e,
  keeps,
  type RegisterAccess,
  type RegisterHost,
  type RegisterRow,
} from './row.ts';

/** Bits of CNTKCTL_EL1 that let EL0 read counters and use timers (Arm ARM, D24.12.10). */
const Cntkctl = { EL0PCTEN: 1, EL0VCTEN: 2, EL0VTEN: 1 << 8, EL0PTEN: 1 << 9 } as const;

const CNTP_CVAL_EL0 = e(3, 3, 14, 2, 2);
const CNTV_CVAL_EL0 = e(3, 3, 14, 3, 2);

function timersChanged(_context: RegisterAccess, _value: bigint, host: RegisterHost): void {
  host.timersChanged();
}

/** Whether EL0 may use a timer. */
function usableBy(compare: number): { readonly el: 0; readonly el0: El0Control } {
  const allowed = compare === CNTV_CVAL_EL0 ? Cntkctl.EL0VTEN : Cntkctl.EL0PTEN;
  return { el: 0, el0: (_sctlr, cntkctl) => (cntkctl & allowed) !== 0 };
}

/** CNTx_TVAL_EL0: the compare value as a signed distance of 32 bits from the counter. */
function timerValue(encoding: number, compare: number): RegisterRow {
  return behaves(encoding, {
    ...usableBy(compare),
    read: (context, { now }) => BigInt.asUintN(32, (context.sysreg(compare) ?? 0n) - counterOf(compare, context, now)),
    write: (context, value, host) => {
      const at = counterOf(compare, context, host.now) + BigInt.asIntN(32, value);
      context.setSysreg(compare, BigInt.asUintN(64, at));
      host.timersChanged();
    },
  });
}

/** CNTx_CTL_EL0: ENABLE and IMASK are stored, ISTATUS is computed from the time. */
function control(encoding: number, compare: number): RegisterRow {
  return {
    ...keeps(encoding, {
      ...usableBy(compare),
      writable: 3n,
      read: (context, { now }, kept) =>
        BigInt(timerControl(Number(kept), context.sysreg(compare) ?? 0n, counterOf(compare, context, now))),
    }),
    write: timersChanged,
  };
}

/** The counter with which a timer compares. */
function counterOf(compare: number, { el2 }: RegisterAccess, now: number): bigint {
  const offset = compare === CNTV_CVAL_EL0 ? el2?.get(El2Slot.CNTVOFF) : undefined;
  return virtualCounterAt(now, offset ?? 0n);
}

function counter(encoding: number, allowed: number, virtual: boolean): RegisterRow {
  return behaves(encoding, {
    readEl: 0,
    el0: (_sctlr, cntkctl) => (cntkctl & allowed) !== 0,
    read: ({ virtualOffset }, { now }) => virtualCounterAt(now, virtual ? virtualOffset : 0n),
  });
}

/** The Generic Timer as EL1 and EL0 see it (Arm ARM, D24.12). */
export const timerRegisters = {
  CNTFRQ_EL0: constant(e(3, 3, 14, 0, 0), COUNTER_FREQUENCY, {
    readEl: 0,
    el0: (_sctlr, cntkctl) => (cntkctl & (Cntkctl.EL0PCTEN | Cntkctl.EL0VCTEN)) !== 0,
  }),
  CNTPCT_EL0: counter(e(3, 3, 14, 0, 1), Cntkctl.EL0PCTEN, false),
  CNTVCT_EL0: counter(e(3, 3, 14, 0, 2), Cntkctl.EL0VCTEN, true),
  CNTP_TVAL_EL0: timerValue(e(3, 3, 14, 2, 0), CNTP_CVAL_EL0),
  CNTP_CTL_EL0: control(e(3, 3, 14, 2, 1), CNTP_CVAL_EL0),
  CNTP_CVAL_EL0: { ...keeps(CNTP_CVAL_EL0, usableBy(CNTP_CVAL_EL0)), write: timersChanged },
  CNTV_TVAL_EL0: timerValue(e(3, 3, 14, 3, 0), CNTV_CVAL_EL0),
  CNTV_CTL_EL0: control(e(3, 3, 14, 3, 1), CNTV_CVAL_EL0),
  CNTV_CVAL_EL0: { ...keeps(CNTV_CVAL_EL0, usableBy(CNTV_CVAL_EL0)), write: timersChanged },
} satisfies Readonly<Record<string, RegisterRow>>;
