import { accessBytes, Esr, hasValidSyndrome, isWrite, transferRegister } from '../../../../petri/kit/arm/index.ts';
import { type CpuContext, ExceptionClass } from '../../cpu/index.ts';
import { GPR_COUNT } from '../abi/plane-run.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import type { RecEntry } from './rec-entry.ts';

/**
 * Bits of ESR_EL2 that are reported to the host: for an instruction abort, for a data abort, and for an access that it
 * should emulate.
 */
const INSTRUCTION_MASK = Esr.EC | Esr.SET | Esr.EA | Esr.FSC;
const DATA_MASK = INSTRUCTION_MASK | Esr.FnV;
const EMULATABLE_MASK = Esr.ISV | Esr.SAS | Esr.SF | Esr.WnR;

const FSC_EXTERNAL_ABORT = 0x10;
const PSTATE_EL_MASK = 0xc;

/** A data abort for the host to handle. */
interface DataAbort {
  /** The context that took it; undefined for a program, whose accesses cannot be emulated. */
  readonly context: CpuContext | undefined;
  readonly esr: number;
  readonly far: bigint;
  readonly ipa: number;
  readonly unprotected: boolean;
}

/** Injects a synchronous external abort into the plane, instead of a stage 2 abort that it must not see. */
export function injectExternalAbort(context: CpuContext, esr: number, far: bigint): void {
  const fromEl1 = (context.pstate & PSTATE_EL_MASK) !== 0;
  const kept = (esr & ~(Esr.FSC | Esr.FnV | Esr.S1PTW)) | Esr.EA | FSC_EXTERNAL_ABORT;
  context.takeException((kept + (fromEl1 ? 1 << 26 : 0)) >>> 0, far);
}

/** Injects an exception with EC Unknown: the instruction is undefined for the plane. */
export function injectUndefined(context: CpuContext): void {
  context.takeException(Esr.IL, 0n);
}

/** REC exit for an instruction abort, until the host maps the page. */
export function exitInstructionAbort(entry: RecEntry, esr: number, ipa: number): void {
  entry.exit(RecExitReason.Sync);
  entry.report(RecExit.esr, (esr & INSTRUCTION_MASK) >>> 0);
  entry.reportFaultPage(ipa);
}

/** REC exit for a data abort, until the host maps the page or, at an unprotected IPA, emulates the access. */
export function exitDataAbort(entry: RecEntry, { context, esr, far, ipa, unprotected }: DataAbort): void {
  const { view, run } = entry;
  const { asTfRmm } = entry.state;
  entry.exit(RecExitReason.Sync);
  const emulatable = unprotected && context !== undefined && hasValidSyndrome(esr);
  // RMM specification, A4.3.4.3: the instruction length is reported for accesses at an unprotected IPA that the host
  // cannot emulate. TF-RMM never reports it.
  const showsLength = unprotected && !emulatable && !asTfRmm;
  const mask = DATA_MASK | (showsLength ? Esr.IL : 0) | (emulatable ? EMULATABLE_MASK : 0);
  entry.report(RecExit.esr, (esr & mask) >>> 0);
  entry.reportFaultPage(ipa);
  if (emulatable || (unprotected && asTfRmm)) view.setUint32(run + RecExit.far, Number(far & 0xfffn), true);
  if (emulatable && isWrite(esr)) view.setBigUint64(run + RecExit.gprs, storedValue(context, esr), true);
  entry.rec.lastAbort = { emulatable, unprotected, esr, far };
}

function storedValue(context: CpuContext, esr: number): bigint {
  const register = transferRegister(esr);
  return register < GPR_COUNT ? BigInt.asUintN(8 * accessBytes(esr), context.x(register)) : 0n;
}

/** Completes a read or write that the host emulated (enter.flags.emul_mmio). @param value the result of a read */
export function completeMmio(context: CpuContext, esr: number, value: bigint): void {
  context.advancePc(4);
  const register = transferRegister(esr);
  if (isWrite(esr) || register >= GPR_COUNT) return;
  const bits = 8 * accessBytes(esr);
  const extended = (esr & Esr.SSE) !== 0 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  context.setX(register, BigInt.asUintN((esr & Esr.SF) !== 0 ? 64 : 32, extended));
}

/** ESR_EL2 of the abort that guest code would take if it made the access of a plane 0 program. */
export function programAbortEsr(write: boolean, level: number): number {
  return (ExceptionClass.DataAbortLower * 2 ** 26 + (Esr.IL | (write ? Esr.WnR : 0) | (0x04 + level))) >>> 0;
}
