import { behaves, encodeSysreg as e, ignored, keeps, type RegisterRow } from '../pe/registers/row.ts';
import { type InterruptGroup, NO_INTERRUPT } from './interrupt-routing.ts';
import { Icc } from './interrupt-signals.ts';
import { MIN_BPR } from './priorities.ts';

const NONE = BigInt(NO_INTERRUPT);

/** A stored value that takes part in what is signalled. */
function controls(encoding: number, options: { readonly reset?: bigint; readonly writable: bigint }): RegisterRow {
  return {
    ...keeps(encoding, { ...options, el2Traps: true }),
    write: (_context, _value, host) => host.interrupts?.update(),
  };
}

/** ICC_IARn_EL1: reading it acknowledges the interrupt. */
function acknowledge(encoding: number, group: InterruptGroup): RegisterRow {
  return behaves(encoding, { read: (_context, { interrupts }) => interrupts?.acknowledge(group) ?? NONE });
}

function end(encoding: number, group: InterruptGroup): RegisterRow {
  return behaves(encoding, { write: (_context, value, { interrupts }) => interrupts?.end(group, value) });
}

function highestPending(encoding: number, group: InterruptGroup): RegisterRow {
  return behaves(encoding, { read: (_context, { interrupts }) => interrupts?.highestPending(group) ?? NONE });
}

function binaryPoint(group: InterruptGroup): RegisterRow {
  const encoding = Icc.BPR[group];
  const least = BigInt(MIN_BPR[group]);
  return {
    ...keeps(encoding, { reset: least, writable: 7n }),
    read: (_context, { interrupts }, kept) => (interrupts === undefined ? kept : BigInt(interrupts.binaryPoint(group))),
    write: (context, value, { interrupts }) => {
      if (interrupts === undefined) return;
      if ((value & 7n) < least) context.setSysreg(encoding, least);
      interrupts.update();
    },
  };
}

/** ICC_SGInR_EL1: trapped to EL2 where a monitor distributes interrupts (ICH_HCR_EL2.TC). */
function generate(encoding: number, group: InterruptGroup): RegisterRow {
  return behaves(encoding, {
    trapsWrites: true,
    write: (_context, value, { interrupts }) => interrupts?.generate(group, value),
  });
}

/**
 * The CPU interface of GICv3 (IHI0069, 12.2) with 5 bits of priority and of preemption. Without an interrupt controller
 * no interrupt is ever delivered, and accesses that generate or deactivate interrupts are trapped to EL2
 * (ICH_HCR_EL2.TC and TDIR).
 */
export const cpuInterface = {
  ICC_PMR_EL1: controls(Icc.PMR, { writable: 0xf8n }),
  ICC_IAR0_EL1: acknowledge(e(3, 0, 12, 8, 0), 0),
  ICC_EOIR0_EL1: end(e(3, 0, 12, 8, 1), 0),
  ICC_HPPIR0_EL1: highestPending(e(3, 0, 12, 8, 2), 0),
  ICC_BPR0_EL1: binaryPoint(0),
  ICC_AP0R0_EL1: controls(Icc.APR[0], { writable: 0xffff_ffffn }),
  ICC_AP1R0_EL1: controls(Icc.APR[1], { writable: 0xffff_ffffn }),
  ICC_DIR_EL1: behaves(e(3, 0, 12, 11, 1), {
    trapsWrites: true,
    write: (_context, value, { interrupts }) => interrupts?.deactivate(value),
  }),
  ICC_RPR_EL1: behaves(e(3, 0, 12, 11, 3), {
    read: (_context, { interrupts }) => BigInt(interrupts?.runningPriority ?? 0xff),
  }),
  ICC_SGI1R_EL1: generate(e(3, 0, 12, 11, 5), 1),
  // SGIs of group 1 of the other Security state, which is Secure: where there is one state only, a PE takes those for
  // which group 0 is configured.
  ICC_ASGI1R_EL1: generate(e(3, 0, 12, 11, 6), 0),
  ICC_SGI0R_EL1: generate(e(3, 0, 12, 11, 7), 0),
  ICC_IAR1_EL1: acknowledge(e(3, 0, 12, 12, 0), 1),
  ICC_EOIR1_EL1: end(e(3, 0, 12, 12, 1), 1),
  ICC_HPPIR1_EL1: highestPending(e(3, 0, 12, 12, 2), 1),
  ICC_BPR1_EL1: binaryPoint(1),
  ICC_CTLR_EL1: controls(Icc.CTLR, { reset: 0x8400n, writable: 3n }),
  // SRE, DFB, DIB: system registers are the only interface.
  ICC_SRE_EL1: behaves(e(3, 0, 12, 12, 5), { read: () => 7n, write: ignored }),
  ICC_IGRPEN0_EL1: controls(Icc.IGRPEN[0], { writable: 1n }),
  ICC_IGRPEN1_EL1: controls(Icc.IGRPEN[1], { writable: 1n }),
} satisfies Readonly<Record<string, RegisterRow>>;
