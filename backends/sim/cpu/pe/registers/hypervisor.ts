import { El2Slot, Hcr, HcrHigh } from '../el2/el2-state.ts';
import { counterAt, timerControl } from '../generic-timer.ts';
import { behaves, encodeSysreg as e, ignored, type RegisterRow } from './row.ts';

/** RES1 of SCTLR_EL2 where HCR_EL2.E2H is 0, with the MMU and caches off. */
export const SCTLR_EL2_RESET = 0x30c5_0830n;
/** RES1 of CPTR_EL2 where HCR_EL2.E2H is 0: there is no SVE and no SME. */
export const CPTR_EL2_RES1 = 0x33ffn;
/** What HCR_EL2 holds: bits of what is implemented, and RW, which is fixed since nothing runs AArch32. */
const HCR_WRITABLE =
  BigInt(
    (0x3fff_ffff & ~(1 << 15)) | Hcr.TRVM, // TID0 is about AArch32.
  ) |
  (BigInt(HcrHigh.E2H | HcrHigh.APK | HcrHigh.API | HcrHigh.FWB | 3) << 32n);
const HCR_FIXED = BigInt(Hcr.RW >>> 0);
const VTCR_RES1 = 1n << 31n;
const VTCR_WRITABLE = 0x3fef_ffffn;
/** VMIDs have 16 bits. */
const HPFAR_WRITABLE = 0xfff_ffff_fff0n;
const TIMER_CONTROL = 3n;

interface Options {
  readonly reset?: bigint;
  readonly writable?: bigint;
  /** Bits that are always set. */
  readonly fixed?: bigint;
  /** What else depends on its value. */
  readonly changes?: 'el2' | 'el2-regime' | 'stage2' | 'timers';
}

/** A register of EL2 that keeps what is written to it. */
function keptAtEl2(encoding: number, slot: El2Slot, options: Options = {}): RegisterRow {
  const { reset = 0n, writable, fixed = 0n, changes } = options;
  return {
    encoding,
    el: 2,
    el2Slot: slot,
    reset: reset | fixed,
    read: ({ el2 }) => el2?.get(slot) ?? 0n,
    write: (context, value, host) => {
      const { el2 } = context;
      if (el2 === undefined) return;
      el2.set(slot, (writable === undefined ? value : value & writable) | fixed);
      if (changes === 'timers') host.timersChanged();
      else if (changes !== undefined) context.el2Changed(changes);
      // Interrupts may go elsewhere now.
      if (changes === 'el2') host.interrupts?.update();
    },
  };
}

function timerValue(encoding: number, compare: El2Slot): RegisterRow {
  return behaves(encoding, {
    el: 2,
    read: ({ el2 }, { now }) => BigInt.asUintN(32, (el2?.get(compare) ?? 0n) - BigInt(counterAt(now))),
    write: ({ el2 }, value, host) => {
      el2?.set(compare, BigInt.asUintN(64, BigInt(counterAt(host.now)) + BigInt.asIntN(32, value)));
      host.timersChanged();
    },
  });
}

function timer(encoding: number, slot: El2Slot, compare: El2Slot): RegisterRow {
  return {
    ...keptAtEl2(encoding, slot, { writable: TIMER_CONTROL, changes: 'timers' }),
    read: ({ el2 }, { now }) =>
      el2 === undefined ? 0n : BigInt(timerControl(el2.low(slot), el2.get(compare), BigInt(counterAt(now)))),
  };
}

function el1View(encoding: number, of: number): RegisterRow {
  return behaves(encoding, {
    el: 2,
    read: (context) => context.sysreg(of) ?? 0n,
    write: (context, value) => void context.setSysreg(of, value),
  });
}

function ofEl2(crn: number, crm: number, op2: number): number {
  return e(3, 4, crn, crm, op2);
}

/** Registers of EL2 (Arm ARM, D24.2), which exist in contexts that have it. */
export const hypervisorRegisters = {
  VPIDR_EL2: keptAtEl2(ofEl2(0, 0, 0), El2Slot.VPIDR, { writable: 0xffff_ffffn }),
  VMPIDR_EL2: keptAtEl2(ofEl2(0, 0, 5), El2Slot.VMPIDR, { writable: 0xff_c1ff_ffffn, fixed: 1n << 31n }),
  SCTLR_EL2: keptAtEl2(ofEl2(1, 0, 0), El2Slot.SCTLR, { reset: SCTLR_EL2_RESET, changes: 'el2-regime' }),
  ACTLR_EL2: keptAtEl2(ofEl2(1, 0, 1), El2Slot.ACTLR),
  HCR_EL2: keptAtEl2(ofEl2(1, 1, 0), El2Slot.HCR, { writable: HCR_WRITABLE, fixed: HCR_FIXED, changes: 'el2' }),
  MDCR_EL2: keptAtEl2(ofEl2(1, 1, 1), El2Slot.MDCR, { reset: 6n }),
  CPTR_EL2: {
    ...keptAtEl2(ofEl2(1, 1, 2), El2Slot.CPTR, { reset: CPTR_EL2_RES1, changes: 'el2' }),
    read: ({ el2 }) => (el2 === undefined ? 0n : el2.get(El2Slot.CPTR) | (el2.e2h ? 0n : CPTR_EL2_RES1)),
  },
  HSTR_EL2: keptAtEl2(ofEl2(1, 1, 3), El2Slot.HSTR),
  HACR_EL2: keptAtEl2(ofEl2(1, 1, 7), El2Slot.HACR),
  TTBR0_EL2: keptAtEl2(ofEl2(2, 0, 0), El2Slot.TTBR0, { changes: 'el2-regime' }),
  TTBR1_EL2: keptAtEl2(ofEl2(2, 0, 1), El2Slot.TTBR1, { changes: 'el2-regime' }),
  TCR_EL2: keptAtEl2(ofEl2(2, 0, 2), El2Slot.TCR, { changes: 'el2-regime' }),
  VTTBR_EL2: keptAtEl2(ofEl2(2, 1, 0), El2Slot.VTTBR, { changes: 'stage2' }),
  VTCR_EL2: keptAtEl2(ofEl2(2, 1, 2), El2Slot.VTCR, { writable: VTCR_WRITABLE, fixed: VTCR_RES1, changes: 'stage2' }),
  SPSR_EL2: keptAtEl2(ofEl2(4, 0, 0), El2Slot.SPSR),
  ELR_EL2: keptAtEl2(ofEl2(4, 0, 1), El2Slot.ELR),
  SP_EL1: el1View(ofEl2(4, 1, 0), ofEl2(4, 1, 0)),
  AFSR0_EL2: keptAtEl2(ofEl2(5, 1, 0), El2Slot.AFSR0),
  AFSR1_EL2: keptAtEl2(ofEl2(5, 1, 1), El2Slot.AFSR1),
  ESR_EL2: keptAtEl2(ofEl2(5, 2, 0), El2Slot.ESR),
  FAR_EL2: keptAtEl2(ofEl2(6, 0, 0), El2Slot.FAR),
  HPFAR_EL2: keptAtEl2(ofEl2(6, 0, 4), El2Slot.HPFAR, { writable: HPFAR_WRITABLE }),
  MAIR_EL2: keptAtEl2(ofEl2(10, 2, 0), El2Slot.MAIR, { changes: 'el2-regime' }),
  AMAIR_EL2: keptAtEl2(ofEl2(10, 3, 0), El2Slot.AMAIR),
  VBAR_EL2: keptAtEl2(ofEl2(12, 0, 0), El2Slot.VBAR),
  CONTEXTIDR_EL2: keptAtEl2(ofEl2(13, 0, 1), El2Slot.CONTEXTIDR),
  TPIDR_EL2: keptAtEl2(ofEl2(13, 0, 2), El2Slot.TPIDR),
  CNTVOFF_EL2: keptAtEl2(ofEl2(14, 0, 3), El2Slot.CNTVOFF, { changes: 'timers' }),
  CNTHCTL_EL2: keptAtEl2(ofEl2(14, 1, 0), El2Slot.CNTHCTL, { reset: 3n, writable: 0x3_ffffn }),
  CNTHP_TVAL_EL2: timerValue(ofEl2(14, 2, 0), El2Slot.CNTHP_CVAL),
  CNTHP_CTL_EL2: timer(ofEl2(14, 2, 1), El2Slot.CNTHP_CTL, El2Slot.CNTHP_CVAL),
  CNTHP_CVAL_EL2: keptAtEl2(ofEl2(14, 2, 2), El2Slot.CNTHP_CVAL, { changes: 'timers' }),
  CNTHV_TVAL_EL2: timerValue(ofEl2(14, 3, 0), El2Slot.CNTHV_CVAL),
  CNTHV_CTL_EL2: timer(ofEl2(14, 3, 1), El2Slot.CNTHV_CTL, El2Slot.CNTHV_CVAL),
  CNTHV_CVAL_EL2: keptAtEl2(ofEl2(14, 3, 2), El2Slot.CNTHV_CVAL, { changes: 'timers' }),
  // SRE, DFB, DIB and Enable: EL1 may use ICC_SRE_EL1, which says the same.
  ICC_SRE_EL2: behaves(ofEl2(12, 9, 5), { el: 2, read: () => 0xfn, write: ignored }),
  // Saved program status of AArch32 modes, which there are none of.
  SPSR_irq: behaves(ofEl2(4, 3, 0), { el: 2, read: () => 0n, write: ignored }),
  SPSR_abt: behaves(ofEl2(4, 3, 1), { el: 2, read: () => 0n, write: ignored }),
  SPSR_und: behaves(ofEl2(4, 3, 2), { el: 2, read: () => 0n, write: ignored }),
  SPSR_fiq: behaves(ofEl2(4, 3, 3), { el: 2, read: () => 0n, write: ignored }),
} satisfies Readonly<Record<string, RegisterRow>>;
