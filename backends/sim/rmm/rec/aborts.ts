import { type CpuContext, ExceptionClass } from '../../cpu/index.ts';
import { GPR_COUNT } from '../abi/plane-run.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { writeNumber } from '../abi/register-file.ts';
import { Ripas } from '../abi/status.ts';
import type { Realm } from '../realm/realm.ts';
import { entryRipas, entryState, EntryState } from '../realm/rtt-entry.ts';
import { LEAF_LEVEL } from '../realm/rtt.ts';
import { exitRec, hpfar } from './rec-exit.ts';
import type { Rec } from './rec.ts';
import type { RmmState } from './rmm-state.ts';

/** Fields of ESR_EL2 for aborts (Arm ARM, D24.2.40). */
export const Esr = {
  EC: 0xfc00_0000,
  IL: 1 << 25,
  ISV: 1 << 24,
  SAS: 3 << 22,
  SSE: 1 << 21,
  SRT: 0x1f << 16,
  SF: 1 << 15,
  SET: 3 << 11,
  FnV: 1 << 10,
  EA: 1 << 9,
  S1PTW: 1 << 7,
  WnR: 1 << 6,
  FSC: 0x3f,
} as const;

/** What the host may know of an abort, by how much of it is its business. */
const INSTRUCTION_MASK = Esr.EC | Esr.SET | Esr.EA | Esr.FSC;
const DATA_MASK = INSTRUCTION_MASK | Esr.FnV;
const EMULATABLE_MASK = Esr.ISV | Esr.SAS | Esr.SF | Esr.WnR;

const FSC_EXTERNAL_ABORT = 0x10;
const PSTATE_EL_MASK = 0xc;

/** Whose affair a stage-2 abort is. */
export const AbortTarget = {
  /** The plane gets a synchronous external abort. */
  Inject: 0,
  /** The host. */
  Host: 1,
  /** The host, at an unprotected IPA. */
  HostUnprotected: 2,
  /** Plane 0, for an auxiliary plane. */
  Plane0: 3,
  /** Nobody's: it has gone in the meantime. */
  None: 4,
} as const;
export type AbortTarget = (typeof AbortTarget)[keyof typeof AbortTarget];

/** Decides a data abort (RMM specification 1.1, A5.2, A5.4, A10.2). @param permission false for a translation fault */
export function dataAbortTarget(realm: Realm, plane: number, ipa: number, permission: boolean): AbortTarget {
  const { rtt } = realm;
  if (ipa >= rtt.ipaTop) return AbortTarget.Inject;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  if (ipa >= rtt.parTop) {
    if (entryState(word) !== EntryState.AssignedNs) return AbortTarget.HostUnprotected;
    if (!realm.granules.isNormal(Math.floor(mappedAddress(realm, ipa) / 4096) * 4096)) return AbortTarget.Inject;
    return permission ? AbortTarget.HostUnprotected : AbortTarget.None;
  }
  if (entryRipas(word) === Ripas.Empty) return plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
  if (isUnmapped(word)) return AbortTarget.Host;
  if (!permission) return AbortTarget.None;
  return plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
}

/** Decides an instruction abort. Nothing outside of the protected half can be executed. */
export function instructionAbortTarget(realm: Realm, plane: number, ipa: number, permission: boolean): AbortTarget {
  const { rtt } = realm;
  const refused = plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
  if (ipa >= rtt.parTop) return refused;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  if (entryRipas(word) === Ripas.Empty) return refused;
  if (isUnmapped(word)) return AbortTarget.Host;
  return permission ? refused : AbortTarget.None;
}

function isUnmapped(word: number): boolean {
  return entryState(word) !== EntryState.Assigned || entryRipas(word) !== Ripas.Ram;
}

function mappedAddress(realm: Realm, ipa: number): number {
  return realm.rtt.address + (ipa % 2 ** (12 + 9 * (LEAF_LEVEL - realm.rtt.level)));
}

/** Gives the plane a synchronous external abort in place of a stage-2 abort that it is not to see. */
export function injectExternalAbort(context: CpuContext, esr: number, far: bigint): void {
  const fromEl1 = (context.pstate & PSTATE_EL_MASK) !== 0;
  const kept = (esr & ~(Esr.FSC | Esr.FnV | Esr.S1PTW)) | Esr.EA | FSC_EXTERNAL_ABORT;
  context.takeException((kept + (fromEl1 ? 1 << 26 : 0)) >>> 0, far);
}

/** Gives the plane an exception of unknown reason: the instruction is undefined there. */
export function injectUndefined(context: CpuContext): void {
  context.takeException(Esr.IL, 0n);
}

/** REC exit for an instruction abort that the host can mend. */
export function exitInstructionAbort(state: RmmState, rec: Rec, esr: number, ipa: number): void {
  const run = exitRec(state, rec, RecExitReason.Sync);
  writeNumber(state.view, run + RecExit.esr, (esr & INSTRUCTION_MASK) >>> 0);
  writeNumber(state.view, run + RecExit.hpfar, hpfar(ipa));
}

/** REC exit for a data abort that the host can mend, or at an unprotected IPA emulate. @param context undefined: no ISV */
export function exitDataAbort(
  state: RmmState,
  rec: Rec,
  context: CpuContext | undefined,
  esr: number,
  far: bigint,
  ipa: number,
  unprotected: boolean,
): void {
  const { view } = state;
  const run = exitRec(state, rec, RecExitReason.Sync);
  const emulatable = unprotected && context !== undefined && (esr & Esr.ISV) !== 0;
  // RMM specification, A4.3.4.3: the length is shown for what the host cannot emulate at an unprotected IPA. TF-RMM never shows it.
  const showsLength = unprotected && !emulatable && !state.asTfRmm;
  const mask = DATA_MASK | (showsLength ? Esr.IL : 0) | (emulatable ? EMULATABLE_MASK : 0);
  writeNumber(view, run + RecExit.esr, (esr & mask) >>> 0);
  writeNumber(view, run + RecExit.hpfar, hpfar(ipa));
  if (emulatable || (unprotected && state.asTfRmm)) view.setUint32(run + RecExit.far, Number(far & 0xfffn), true);
  if (emulatable) {
    if ((esr & Esr.WnR) !== 0) view.setBigUint64(run + RecExit.gprs, storedValue(context, esr), true);
  }
  rec.lastAbort = { emulatable, unprotected, esr, far };
}

/** Bits of the access that an abort with a valid syndrome made. */
function accessBits(esr: number): number {
  return 8 << ((esr & Esr.SAS) >>> 22);
}

function transferRegister(esr: number): number {
  return (esr & Esr.SRT) >>> 16;
}

function storedValue(context: CpuContext, esr: number): bigint {
  const register = transferRegister(esr);
  return register < GPR_COUNT ? BigInt.asUintN(accessBits(esr), context.x(register)) : 0n;
}

/** Completes a read or write that the host emulated (enter.flags.emul_mmio). @param value what was read */
export function completeMmio(context: CpuContext, esr: number, value: bigint): void {
  context.advancePc(4);
  const register = transferRegister(esr);
  if ((esr & Esr.WnR) !== 0 || register >= GPR_COUNT) return;
  const bits = accessBits(esr);
  const extended = (esr & Esr.SSE) !== 0 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  context.setX(register, BigInt.asUintN((esr & Esr.SF) !== 0 ? 64 : 32, extended));
}

/** ESR_EL2 of the abort that a plane 0 program would take for an access. */
export function programAbortEsr(write: boolean, level: number): number {
  const ec = ExceptionClass.DataAbortLower * 2 ** 26;
  return (ec + (Esr.IL | (write ? Esr.WnR : 0) | (0x04 + level))) >>> 0;
}
