import { Operation } from '../isa/operation.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import { ContextState, Record, VcpuState, ZVA_BYTES } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import type { DataAccess } from '../mmu/data-access.ts';
import { Access, type Translation } from '../mmu/regime.ts';
import type { Stage1 } from '../mmu/stage1.ts';
import { invalidationOf } from '../mmu/tlb-invalidation.ts';
import { readAddress } from '../mmu/virtual-address.ts';
import { ExceptionClass } from '../types.ts';
import type { Context } from './context.ts';
import { CV_AL, syndrome, type Exception } from './exception.ts';
import { counterAt, timeOf } from './generic-timer.ts';
import { accessIss } from './instruction-syndrome.ts';
import { Hcr } from './el2/el2-state.ts';
import { invalidationWithEl2 } from './el2/invalidation.ts';
import { redirected } from './el2/redirection.ts';
import { isImplementationDefined, routesDebug, trapsToEl2 } from './el2/traps.ts';
import { Pstate } from './pstate.ts';
import type { El0Control, RegisterHost } from './registers/row.ts';
import { daifAtEl0 } from './registers/state.ts';
import { physicalAddress, stage2Fault } from './physical-address.ts';
import { encodeSysreg, findSysreg, slotOf, type Sysreg } from './system-registers.ts';
import type { TranslationQuestion } from './system-operation.ts';
import { findSystemOperation } from './system-operations.ts';

/** The result of executing an instruction in the run loop. */
export type Outcome =
  /** Done; the next instruction follows. */
  | 'next'
  /** The PC has been set. */
  | 'jumped'
  /** `exception` must be taken; the PC is the preferred return address. */
  | 'exception'
  /** `DataAccess.fault` must be taken. */
  | 'abort'
  | 'undefined'
  /** Done; the guest waits. */
  | 'wfi'
  | 'wfe';

const PMUSERENR_EL0 = slotOf('PMUSERENR_EL0');
const PAR_EL1 = slotOf('PAR_EL1');
/** Bits of SCTLR_EL1: WFI and WFE of EL0 are not trapped. */
const Sctlr = { nTWI: 1 << 16, nTWE: 1 << 18 } as const;

/** ISS of a trapped WFET or WFIT: TI, and RV for a valid register number. */
const Timed = { TI: 1 << 1, RV: 1 << 2 } as const;
const LAST_TICK = BigInt(counterAt(Number.MAX_SAFE_INTEGER));

const NEXT = 4;
/** Fields of PSTATE that MSR (immediate) writes, by its encoding without the immediate. */
export const PstateField = {
  UAO: encodeSysreg(0, 0, 4, 0, 3),
  PAN: encodeSysreg(0, 0, 4, 0, 4),
  SPSEL: encodeSysreg(0, 0, 4, 0, 5),
  SSBS: encodeSysreg(0, 3, 4, 0, 1),
  DIT: encodeSysreg(0, 3, 4, 0, 2),
  DAIF_SET: encodeSysreg(0, 3, 4, 0, 6),
  DAIF_CLEAR: encodeSysreg(0, 3, 4, 0, 7),
} as const;
const CRM = encodeSysreg(0, 0, 0, 15, 0);

/** Executes what generated code leaves to the run loop: the operation in the exit record. */
export class SystemInstructions {
  /** Valid after the outcome `exception`. */
  readonly exception: Exception = { target: 1, esr: 0, far: 0n };
  /** After the outcomes `wfi` and `wfe`: guest time in nanoseconds at which the wait ends in any case. */
  until = Infinity;
  readonly #memory: LinearMemory;
  readonly #access: DataAccess;

  constructor(memory: LinearMemory, access: DataAccess) {
    this.#memory = memory;
    this.#access = access;
  }

  /** @param context the active one @param record the exit record */
  execute(context: Context, host: RegisterHost, record: number): Outcome {
    const { u16, i32 } = this.#memory;
    const operand = i32[(record + Record.Low) >> 2] ?? 0;
    const { el } = context;
    switch (u16[(record + Record.Small) >> 1]) {
      case Operation.Svc:
        context.advancePc(NEXT);
        return this.#except(1, ExceptionClass.Svc64, operand);
      case Operation.Hvc:
        if (el === 0 || context.el2?.hcr(Hcr.HCD) === true) return 'undefined';
        context.advancePc(NEXT);
        return this.#except(2, ExceptionClass.Hvc64, operand);
      case Operation.Smc:
        return el === 0 ? 'undefined' : this.#except(smcTarget(context), ExceptionClass.Smc64, operand);
      case Operation.Brk:
        return this.#except(breakpointTarget(context), ExceptionClass.Brk64, operand);
      case Operation.Eret:
        if (el === 0) return 'undefined';
        // An exception return is an event for the PE itself (Arm ARM, D1.6.1).
        host.event = true;
        return exceptionReturn(context);
      case Operation.EretAuthenticated:
        if (el === 0) return 'undefined';
        host.event = true;
        return this.#authenticatedReturn(context, operand);
      case Operation.Wfe:
        if (!host.event) return this.#wait(context, true);
        host.event = false;
        return 'next';
      case Operation.Wfi:
        return this.#wait(context, false);
      case Operation.Wfet:
        if (!host.event) return this.#waitUntil(context, host, record, true);
        host.event = false;
        return 'next';
      case Operation.Wfit:
        return this.#waitUntil(context, host, record, false);
      case Operation.Sev:
        host.sendEvent();
        return 'next';
      case Operation.Sevl:
        host.event = true;
        return 'next';
      case Operation.ReadRegister:
        return this.#read(context, host, record, operand);
      case Operation.WriteRegister:
        return this.#write(context, host, record, operand);
      case Operation.WritePstate:
        return this.#writePstate(context, record, operand);
      case Operation.System:
        return this.#system(context, host, record, operand);
      case Operation.MemoryOption:
        return this.#except(1, ExceptionClass.MemoryOption, i32[(record + Record.High) >> 2] ?? 0);
      case Operation.PacFail:
      case Operation.PacFail + 1:
      case Operation.PacFail + 2:
      case Operation.PacFail + 3:
        return this.#except(1, ExceptionClass.PacFail, (u16[(record + Record.Small) >> 1] ?? 0) - Operation.PacFail);
      default:
        // HLT is undefined without halting debug.
        return 'undefined';
    }
  }

  #except(target: ExceptionLevel, ec: number, iss: number, far = 0n): 'exception' {
    const { exception } = this;
    exception.target = target;
    exception.esr = syndrome(ec, iss);
    exception.far = far;
    return 'exception';
  }

  #authenticatedReturn(context: Context, key: number): Outcome {
    const { u32, u64 } = this.#memory;
    if (u32[VcpuState.EretFails >> 2] !== 0) return this.#except(1, ExceptionClass.PacFail, key);
    return exceptionReturn(context, u64[VcpuState.EretTarget >> 3]);
  }

  /** WFET, WFIT: the wait ends when the virtual counter reaches a value, if not before. */
  #waitUntil(context: Context, host: RegisterHost, record: number, event: boolean): Outcome {
    const { u16, u64, i32 } = this.#memory;
    const value = u64[(u16[(record + Record.N) >> 1] ?? ContextState.Zero) >> 3] ?? 0n;
    // Beyond all counter values that a guest lives to see.
    const at = value + context.virtualOffset;
    const until = at > LAST_TICK ? Infinity : timeOf(Number(at));
    if (until <= host.now) return 'next';
    const outcome = this.#wait(context, event, Timed.TI | Timed.RV | ((i32[(record + Record.Low) >> 2] ?? 0) << 5));
    this.until = until;
    return outcome;
  }

  /** @param more bits of the ISS of a trap */
  #wait(context: Context, event: boolean, more = 0): Outcome {
    this.until = Infinity;
    const iss = CV_AL | more | (event ? 1 : 0);
    const { el, el2 } = context;
    const allowed = (context.sctlr & (event ? Sctlr.nTWE : Sctlr.nTWI)) !== 0;
    if (el === 0 && !allowed) return this.#except(1, ExceptionClass.Wfx, iss);
    const guest = el2 !== undefined && (el === 1 || (el === 0 && !el2.hosts));
    if (guest && el2.hcr(event ? Hcr.TWE : Hcr.TWI)) return this.#except(2, ExceptionClass.Wfx, iss);
    if (event ? context.traps.wfe : context.traps.wfi) return this.#except(2, ExceptionClass.Wfx, iss);
    return event ? 'wfe' : 'wfi';
  }

  #read(context: Context, host: RegisterHost, record: number, encoding: number): Outcome {
    const named = findSysreg(encoding);
    const register = context.el2 === undefined ? named : findSysreg(redirected(context.el2, context.el, encoding));
    if (register === undefined) return this.#unallocated(context, record, encoding, true);
    const refused = this.#refusal(context, context.el === 0 ? named : register, record, encoding, true);
    if (refused !== undefined) return refused;
    const { u16, u64 } = this.#memory;
    const kept = register.slot < 0 ? 0n : (u64[register.slot >> 3] ?? 0n);
    if (register.read === undefined && register.slot < 0) return 'undefined';
    u64[(u16[(record + Record.D) >> 1] ?? ContextState.Discard) >> 3] = register.read?.(context, host, kept) ?? kept;
    return 'next';
  }

  #write(context: Context, host: RegisterHost, record: number, encoding: number): Outcome {
    const named = findSysreg(encoding);
    const register = context.el2 === undefined ? named : findSysreg(redirected(context.el2, context.el, encoding));
    if (register === undefined) return this.#unallocated(context, record, encoding, false);
    const refused = this.#refusal(context, context.el === 0 ? named : register, record, encoding, false);
    if (refused !== undefined) return refused;
    if (register.trapsWrites === true && host.interrupts === undefined) return this.#trap(2, record, encoding, false);
    const { u16, u64 } = this.#memory;
    const value = u64[(u16[(record + Record.N) >> 1] ?? ContextState.Zero) >> 3] ?? 0n;
    const { slot, writable } = register;
    if (slot >= 0) u64[slot >> 3] = ((u64[slot >> 3] ?? 0n) & ~writable) | (value & writable);
    else if (register.write === undefined) return 'undefined';
    register.write?.(context, value, host);
    context.stage1Changed(register.stage1);
    // FPCR or FPSR.
    if (register.simd === true) u64[VcpuState.FloatDefault >> 3] = 0n;
    return 'next';
  }

  /** An encoding that is no register: EL2 may trap those that are implementation defined. */
  #unallocated(context: Context, record: number, encoding: number, read: boolean): Outcome {
    const { el, el2 } = context;
    const guest = el2 !== undefined && (el === 1 || (el === 0 && !el2.hosts));
    const trapped = guest && el2.hcr(Hcr.TIDCP) && isImplementationDefined(encoding);
    return trapped ? this.#trap(2, record, encoding, read) : 'undefined';
  }

  /** Why the Exception level may not access a register, by the checks in their order; undefined if it may. */
  #refusal(
    context: Context,
    register: Sysreg | undefined,
    record: number,
    encoding: number,
    read: boolean,
  ): Outcome | undefined {
    if (register === undefined) return 'undefined';
    const permission = (read ? undefined : register.el0Write) ?? register.el0;
    if (this.#refuses(context, permission)) return this.#trap(1, record, encoding, read);
    const simdTrap = register.simd === true ? context.simdTrap : undefined;
    if (simdTrap !== undefined) return this.#except(simdTrap, ExceptionClass.SimdFp, CV_AL);
    const { el, el2 } = context;
    if (el < ((read ? register.readEl : undefined) ?? register.el)) return 'undefined';
    const trapped = el2 !== undefined && el < 2 && trapsToEl2(el2, el === 0 ? 0 : 1, encoding, read);
    return trapped ? this.#trap(2, record, encoding, read) : undefined;
  }

  /** MSR (immediate): the immediate is CRm. */
  #writePstate(context: Context, record: number, encoding: number): Outcome {
    const immediate = (encoding & CRM) >> 3;
    switch (encoding & ~CRM) {
      case PstateField.DAIF_SET:
      case PstateField.DAIF_CLEAR: {
        if (this.#refuses(context, daifAtEl0)) return this.#trap(1, record, encoding, false);
        const bits = immediate << 6;
        context.setMode((encoding & ~CRM) === PstateField.DAIF_SET ? context.pstate | bits : context.pstate & ~bits);
        return 'next';
      }
      case PstateField.PAN:
        return context.el === 0 ? 'undefined' : setState(context, Pstate.Pan, immediate);
      case PstateField.UAO:
        return context.el === 0 ? 'undefined' : setState(context, Pstate.Uao, immediate);
      case PstateField.SSBS:
        return setState(context, Pstate.Ssbs, immediate);
      case PstateField.DIT:
        return setState(context, Pstate.Dit, immediate);
      case PstateField.SPSEL:
        if (context.el === 0) return 'undefined';
        context.setMode((context.pstate & ~Pstate.SpSel) | (immediate & Pstate.SpSel));
        return 'next';
      default:
        return 'undefined';
    }
  }

  #system(context: Context, host: RegisterHost, record: number, encoding: number): Outcome {
    const operation = findSystemOperation(encoding);
    if (operation === undefined) return this.#unallocated(context, record, encoding, false);
    if (this.#refuses(context, operation.el0)) return this.#trap(1, record, encoding, false);
    const { el, el2 } = context;
    if (el < operation.el) return 'undefined';
    if (el2 !== undefined && el < 2 && trapsToEl2(el2, el === 0 ? 0 : 1, encoding, false)) {
      return this.#trap(2, record, encoding, false);
    }
    const { u16, u64 } = this.#memory;
    u64[VcpuState.SlowAddress >> 3] = u64[(u16[(record + Record.N) >> 1] ?? ContextState.Zero) >> 3] ?? 0n;
    const { maintains, invalidates, asks, zeroes } = operation;
    if (zeroes === true) return this.#zero();
    // With stage 1 off there is nothing to fault.
    if (maintains !== undefined && context.mmuEnabled) {
      return this.#access.maintain(context.el === 0 ? Access.Read : maintains) < 0 ? 'abort' : 'next';
    }
    if (invalidates !== undefined) {
      const [low = 0, high = 0] = this.#memory.u32.subarray(VcpuState.SlowAddress >> 2);
      const request = invalidationOf(invalidates, low, high);
      if (el2 === undefined) host.invalidateTlbs(request, invalidates.shareable);
      else {
        const broadcast = invalidates.shareable || (el === 1 && el2.hcr(Hcr.FB));
        host.invalidateTlbs(invalidationWithEl2(el2, el, invalidates, request), broadcast);
      }
    }
    return asks === undefined ? 'next' : this.#translate(context, asks);
  }

  /** DC ZVA where generated code does not execute it. */
  #zero(): Outcome {
    const place = this.#access.slowZero();
    if (place < 0) return 'abort';
    this.#memory.u8.fill(0, place - (place % ZVA_BYTES), place - (place % ZVA_BYTES) + ZVA_BYTES);
    return 'next';
  }

  /** AT: translates into PAR_EL1, by stage 1 alone unless the question is about both. */
  #translate(context: Context, { el, access, pan, of }: TranslationQuestion): Outcome {
    const atEl2 = context.el === 2;
    const regime = of === 'el2' || (atEl2 && of === undefined && context.el2?.hosts === true) ? 'el2' : 'el1';
    const stage1 = context.stage1Of(regime);
    const address = readAddress(this.#memory.u32, VcpuState.SlowAddress, context.topByteIgnoredIn(regime));
    stage1.translate(address, access | Access.Speculative, el, pan && context.pan);
    if (stage1.stage2 && !(atEl2 && stage1.guest)) {
      this.#access.failTranslation(stage1);
      return 'abort';
    }
    this.#memory.u64[PAR_EL1 >> 3] =
      of === 'both-stages' && stage1.status < 0
        ? translatedTwice(context.regimeOfEl1.translate(address, access | Access.Speculative, el), stage1)
        : physicalAddress(stage1);
    return 'next';
  }

  /** Whether EL0 is about to do something that EL1 does not permit. */
  #refuses(context: Context, allowed: El0Control | undefined): boolean {
    if (allowed === undefined || context.el !== 0) return false;
    return !allowed(context.sctlr, context.cntkctl, this.#memory.u32[PMUSERENR_EL0 >> 2] ?? 0);
  }

  #trap(target: ExceptionLevel, record: number, encoding: number, read: boolean): 'exception' {
    const rt = this.#memory.i32[(record + Record.High) >> 2] ?? 0;
    return this.#except(target, ExceptionClass.Sysreg, accessIss(encoding, rt, read));
  }
}

/** Who takes an SMC: EL2 if it traps those of EL1; the firmware otherwise, which is EL3 to a guest with EL2. */
function smcTarget({ el, el2 }: Context): ExceptionLevel {
  if (el2 === undefined) return 2;
  return el === 1 && el2.hcr(Hcr.TSC) ? 2 : 3;
}

/** Who takes a breakpoint instruction: EL2 if it has the debug exceptions of EL1 and EL0. */
function breakpointTarget({ el, el2 }: Context): ExceptionLevel {
  return el2 !== undefined && el < 2 && routesDebug(el2) ? 2 : 1;
}

/** PAR_EL1 for both stages. */
function translatedTwice({ place, stage2, guest, status, ipa }: Translation, stage1: Stage1): bigint {
  // What the machine does not map may be a device: its address is a physical one.
  if (place < 0 && stage2 && guest === true) return stage2Fault(status);
  const { attributes, shareability } = stage1;
  return physicalAddress({ status: -1, stage2: false, ipa, attributes, shareability });
}

/** MSR (immediate) of one bit of PSTATE. */
function setState(context: Context, bit: number, immediate: number): Outcome {
  context.setMode((immediate & 1) === 0 ? context.pstate & ~bit : context.pstate | bit);
  return 'next';
}

function exceptionReturn(context: Context, target?: bigint): Outcome {
  context.exceptionReturn(target);
  if ((context.pstate & Pstate.Il) !== 0) context.raise(syndrome(ExceptionClass.IllegalState, 0), 0n);
  return 'jumped';
}
