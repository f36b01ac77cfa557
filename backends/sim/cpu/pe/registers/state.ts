import type { ExceptionLevel } from '../../exception-level.ts';
import { Pstate } from '../pstate.ts';
import { behaves, constant, encodeSysreg as e, ignored, type RegisterRow } from './row.ts';

/** SCTLR_EL1.UMA: EL0 may access PSTATE.DAIF. */
const UMA = 1 << 9;

/** Bits of ISR_EL1. */
const Isr = { I: 1 << 7, F: 1 << 6 } as const;

/** Whether EL0 may access DAIF, by MRS, MSR (register) and MSR (immediate). */
export function daifAtEl0(sctlr: number): boolean {
  return (sctlr & UMA) !== 0;
}

/** A view of bits of PSTATE that every Exception level may change. */
function stateBits(encoding: number, bits: number, el: ExceptionLevel = 0): RegisterRow {
  return behaves(encoding, {
    el,
    read: ({ pstate }) => BigInt(pstate & bits),
    write: (context, value) => context.setMode((context.pstate & ~bits) | Number(value & BigInt(bits))),
  });
}

/** A random number, of which there is always one: PSTATE.NZCV is zero. */
function random(encoding: number): RegisterRow {
  return behaves(encoding, {
    readEl: 0,
    read: (context, host) => {
      context.setNzcv(0);
      return host.random();
    },
  });
}

const SP_EL0 = e(3, 0, 4, 1, 0);

/** Registers that are views of the PE's state. NZCV is not here: generated code accesses it as a plain move. */
export const stateRegisters = {
  SPSel: behaves(e(3, 0, 4, 2, 0), {
    read: ({ pstate }) => BigInt(pstate & Pstate.SpSel),
    write: (context, value) => context.setMode((context.pstate & ~Pstate.SpSel) | Number(value & BigInt(Pstate.SpSel))),
  }),
  CurrentEL: behaves(e(3, 0, 4, 2, 2), { read: ({ el }) => BigInt(el << 2) }),
  UAO: stateBits(e(3, 0, 4, 2, 4), Pstate.Uao, 1),
  PAN: stateBits(e(3, 0, 4, 2, 3), Pstate.Pan, 1),
  DAIF: behaves(e(3, 3, 4, 2, 1), {
    el: 0,
    el0: daifAtEl0,
    read: ({ pstate }) => BigInt(pstate & Pstate.Daif),
    write: (context, value) => context.setMode((context.pstate & ~Pstate.Daif) | Number(value & BigInt(Pstate.Daif))),
  }),
  DIT: stateBits(e(3, 3, 4, 2, 5), Pstate.Dit),
  SSBS: stateBits(e(3, 3, 4, 2, 6), Pstate.Ssbs),
  RNDR: random(e(3, 3, 2, 4, 0)),
  RNDRRS: random(e(3, 3, 2, 4, 1)),
  SP_EL0: behaves(SP_EL0, {
    read: (context) => context.sysreg(SP_EL0) ?? 0n,
    write: (context, value) => void context.setSysreg(SP_EL0, value),
  }),
  // What is pending, whatever PSTATE masks.
  ISR_EL1: behaves(e(3, 0, 12, 1, 0), {
    read: (_context, { interrupts }) =>
      BigInt((interrupts?.irq === true ? Isr.I : 0) | (interrupts?.fiq === true ? Isr.F : 0)),
  }),
  OSLAR_EL1: behaves(e(2, 0, 1, 0, 4), { write: ignored }),
  OSLSR_EL1: constant(e(2, 0, 1, 1, 4), 0x8n),
  OSDLR_EL1: behaves(e(2, 0, 1, 3, 4), { write: ignored }),
} satisfies Readonly<Record<string, RegisterRow>>;
