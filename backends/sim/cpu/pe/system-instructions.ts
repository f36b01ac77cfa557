import type { Context } from './context.ts';
import { cacheSizeId, readOnlyRegister } from './id-registers.ts';
import { trapOfEl0, waitTrapsFromEl0 } from './el0-traps.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { counterAt, timerControl } from './generic-timer.ts';
import { Pstate } from './pstate.ts';
import { systemIss } from './instruction-syndrome.ts';
import { encodeSysreg, findSysreg, slotOf, sysreg } from './system-registers.ts';
import { ExceptionClass } from '../types.ts';

/** Registers whose writes go to EL2, which emulates them (ICH_HCR_EL2.TC and TDIR). */
const interruptGeneration: ReadonlySet<number> = new Set([
  sysreg.ICC_SGI1R_EL1,
  sysreg.ICC_ASGI1R_EL1,
  sysreg.ICC_SGI0R_EL1,
  sysreg.ICC_DIR_EL1,
]);

/** What executing an instruction in the run loop came to. */
export type Outcome =
  /** Done; the next instruction follows. */
  | 'next'
  /** The PC has been set. */
  | 'jumped'
  /** To be reported to EL2 with this syndrome; the PC is the preferred return address. */
  | { readonly esr: number }
  | 'undefined'
  | { readonly unsupported: string }
  | 'zero-block'
  /** Done, and the guest waits. */
  | 'wfi'
  | 'wfe';

/** FPCR.FZ and RMode. */
const FPCR_NOT_MODELLED = 0x01c0_0000;

const SCTLR_EL1 = slotOf('SCTLR_EL1');
const CNTKCTL_EL1 = slotOf('CNTKCTL_EL1');
const CSSELR_EL1 = slotOf('CSSELR_EL1');
const CNTV_CTL = encodeSysreg(3, 3, 14, 3, 1);
const CNTP_CTL = encodeSysreg(3, 3, 14, 2, 1);
const CNTV_CVAL = slotOf('CNTV_CVAL_EL0');
const CNTP_CVAL = slotOf('CNTP_CVAL_EL0');

const NEXT = 4;
const IL = 1 << 25;
/** ISS.CV, and COND = always. */
const CV_AL = (1 << 24) | (0xe << 20);

export function syndrome(ec: number, iss: number): number {
  return ((ec << 26) | IL | iss) >>> 0;
}

function toEl1(context: Context, ec: number, iss: number): Outcome {
  context.takeException(syndrome(ec, iss), 0n);
  return 'jumped';
}

/** Executes what generated code leaves to the run loop: exceptions, and system registers that do more than hold a value. */
export function executeSystem(
  memory: LinearMemory,
  context: Context,
  word: number,
  now: number,
  mpidr: number,
): Outcome {
  const imm16 = (word >>> 5) & 0xffff;
  if (word >>> 24 === 0xd4) {
    switch (word & 0x00e0_0003) {
      case 1:
        context.advancePc(NEXT);
        return toEl1(context, ExceptionClass.Svc64, imm16);
      case 2:
        if (context.el === 0) return 'undefined';
        context.advancePc(NEXT);
        return { esr: syndrome(ExceptionClass.Hvc64, imm16) };
      case 3:
        return context.el === 0 ? 'undefined' : { esr: syndrome(ExceptionClass.Smc64, imm16) };
      case 0x0020_0000:
        return toEl1(context, ExceptionClass.Brk64, imm16);
      default:
        // HLT without halting debug.
        return 'undefined';
    }
  }
  if (word === 0xd69f_03e0) {
    if (context.el === 0) return 'undefined';
    context.exceptionReturn();
    if ((context.pstate & Pstate.Il) !== 0) context.takeException(syndrome(ExceptionClass.IllegalState, 0), 0n);
    return 'jumped';
  }
  if ((word & 0xffff_ffdf) >>> 0 === 0xd503_205f) return waitForEvent(memory, context, (word & 0x20) === 0);
  return systemRegister(memory, context, word, now, mpidr);
}

function waitForEvent(memory: LinearMemory, context: Context, event: boolean): Outcome {
  if (context.el === 0 && waitTrapsFromEl0(event, memory.u32[SCTLR_EL1 >> 2] ?? 0)) {
    return toEl1(context, ExceptionClass.Wfx, CV_AL | (event ? 1 : 0));
  }
  if (event ? context.traps.wfe : context.traps.wfi) {
    return { esr: syndrome(ExceptionClass.Wfx, CV_AL | (event ? 1 : 0)) };
  }
  return event ? 'wfe' : 'wfi';
}

function systemRegister(memory: LinearMemory, context: Context, word: number, now: number, mpidr: number): Outcome {
  const read = ((word >>> 21) & 1) === 1;
  const op0 = (word >>> 19) & 3;
  const op1 = (word >>> 16) & 7;
  const crn = (word >>> 12) & 15;
  const crm = (word >>> 8) & 15;
  const op2 = (word >>> 5) & 7;
  const rt = word & 31;
  if (context.el === 0) {
    const { u32 } = memory;
    const trap = trapOfEl0(
      word,
      encodeSysreg(op0, op1, crn, crm, op2),
      u32[SCTLR_EL1 >> 2] ?? 0,
      u32[CNTKCTL_EL1 >> 2] ?? 0,
    );
    if (trap !== undefined) return toEl1(context, ...trap);
  }
  if (op0 === 0 && !read && crn === 4 && rt === 31) return pstateImmediate(context, op1, op2, crm);
  const encoding = encodeSysreg(op0, op1, crn, crm, op2);
  if (op0 === 1) return read ? 'undefined' : maintenance(context, op1, crn, crm, op2);
  if (op0 < 2) return 'undefined';
  if (encoding === sysreg.FPCR || encoding === sysreg.FPSR) {
    const access = context.simdAccess();
    if (access === 'el2') return { esr: syndrome(ExceptionClass.SimdFp, CV_AL) };
    if (access === 'el1') return toEl1(context, ExceptionClass.SimdFp, CV_AL);
  }
  if (read) {
    const value = readRegister(memory, context, encoding, now, mpidr);
    if (value === undefined) return 'undefined';
    if (rt !== 31) context.setX(rt, value);
    return 'next';
  }
  if (context.el === 1 && interruptGeneration.has(encoding)) {
    return { esr: syndrome(ExceptionClass.Sysreg, systemIss(word)) };
  }
  return writeRegister(memory, context, encoding, rt === 31 ? 0n : context.x(rt));
}

function readRegister(
  memory: LinearMemory,
  context: Context,
  encoding: number,
  now: number,
  mpidr: number,
): bigint | undefined {
  if (encoding === sysreg.CNTVCT_EL0 || encoding === sysreg.CNTPCT_EL0) {
    return BigInt(counterAt(now));
  }
  const el0Readable = encoding === sysreg.CTR_EL0 || encoding === sysreg.DCZID_EL0 || encoding === sysreg.CNTFRQ_EL0;
  if (context.el === 0 && !el0Readable && findSysreg(encoding)?.el === 1) return undefined;
  const register = findSysreg(encoding);
  if (register !== undefined) {
    const value = memory.u64[register.slot >> 3] ?? 0n;
    const compare = encoding === CNTV_CTL ? CNTV_CVAL : encoding === CNTP_CTL ? CNTP_CVAL : undefined;
    if (compare === undefined) return value;
    return BigInt(timerControl(Number(value), memory.u64[compare >> 3] ?? 0n, now));
  }
  if (context.el === 0 && encoding !== sysreg.DAIF) return el0Readable ? readOnlyRegister(encoding) : undefined;
  switch (encoding) {
    case sysreg.DAIF:
      return BigInt(context.pstate & Pstate.Daif);
    case sysreg.CurrentEL:
      return BigInt(context.el << 2);
    case sysreg.SPSel:
      return BigInt(context.pstate & 1);
    case sysreg.PAN:
      return BigInt(context.pstate & Pstate.Pan);
    case sysreg.MPIDR_EL1:
      return 0x8000_0000n | BigInt(mpidr);
    case sysreg.SP_EL0:
      return context.sysreg(encoding);
    case sysreg.CCSIDR_EL1:
      return cacheSizeId(memory.u64[CSSELR_EL1 >> 3] ?? 0n);
    default:
      return readOnlyRegister(encoding);
  }
}

function writeRegister(memory: LinearMemory, context: Context, encoding: number, value: bigint): Outcome {
  const register = findSysreg(encoding);
  if (register !== undefined) {
    if (context.el === 0 && register.el !== 0) return 'undefined';
    const slot = register.slot >> 3;
    memory.u64[slot] = ((memory.u64[slot] ?? 0n) & ~register.writable) | (value & register.writable);
    if (register.name === 'SCTLR_EL1' && context.mmuEnabled) {
      return { unsupported: 'SCTLR_EL1.M was set: stage 1 address translation is not modelled yet' };
    }
    if (encoding === sysreg.FPCR && (Number(value) & FPCR_NOT_MODELLED) !== 0) {
      return {
        unsupported: 'FPCR.RMode or FPCR.FZ was set: only rounding to nearest without flushing is modelled yet',
      };
    }
    return 'next';
  }
  if (context.el === 0 && encoding !== sysreg.DAIF) return 'undefined';
  switch (encoding) {
    case sysreg.DAIF:
      context.setMode((context.pstate & ~Pstate.Daif) | Number(value & 0x3c0n));
      return 'next';
    case sysreg.SPSel:
      context.setMode((context.pstate & ~1) | Number(value & 1n));
      return 'next';
    case sysreg.PAN:
      context.setMode((context.pstate & ~Pstate.Pan) | (Number(value) & Pstate.Pan));
      return 'next';
    case sysreg.SP_EL0:
      context.setSysreg(encoding, value);
      return 'next';
    case sysreg.OSLAR_EL1:
    case sysreg.OSDLR_EL1:
    case sysreg.ICC_EOIR0_EL1:
    case sysreg.ICC_EOIR1_EL1:
    case sysreg.ICC_SRE_EL1:
      return 'next';
    default:
      return 'undefined';
  }
}

/** MSR (immediate). */
function pstateImmediate(context: Context, op1: number, op2: number, imm: number): Outcome {
  if (op1 === 3 && (op2 === 6 || op2 === 7)) {
    const bits = imm << 6;
    context.setMode(op2 === 6 ? context.pstate | bits : context.pstate & ~bits);
    return 'next';
  }
  if (op1 === 0 && op2 === 5) {
    if (context.el === 0) return 'undefined';
    context.setMode((context.pstate & ~1) | (imm & 1));
    return 'next';
  }
  return 'undefined';
}

const IC = {
  IALLUIS: encodeSysreg(1, 0, 7, 1, 0),
  IALLU: encodeSysreg(1, 0, 7, 5, 0),
  IVAU: encodeSysreg(1, 3, 7, 5, 1),
};
const DC_ZVA = encodeSysreg(1, 3, 7, 4, 1);
const TLBI_CRN = 8;
const CACHE_CRN = 7;

/** SYS: caches are coherent and TLBs follow every change at once, so maintenance has nothing to do. */
function maintenance(context: Context, op1: number, crn: number, crm: number, op2: number): Outcome {
  const encoding = encodeSysreg(1, op1, crn, crm, op2);
  if (encoding === DC_ZVA) return 'zero-block';
  const user = op1 === 3 && crn === CACHE_CRN;
  if (context.el === 0 && !user) return 'undefined';
  if (encoding === IC.IALLUIS || encoding === IC.IALLU || encoding === IC.IVAU) return 'next';
  if (crn === TLBI_CRN && op1 === 0) return 'next';
  const dataCache =
    crn === CACHE_CRN && (crm === 6 || crm === 10 || crm === 11 || crm === 12 || crm === 13 || crm === 14);
  return dataCache && (op1 === 3 || op1 === 0) ? 'next' : 'undefined';
}
