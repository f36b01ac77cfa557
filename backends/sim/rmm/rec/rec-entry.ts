import { ExceptionClass } from '../../cpu/index.ts';
import { GRANULE_SIZE } from '../../machine/index.ts';
import { REC_EXIT_OFFSET, RecExit, RecExitReason } from '../abi/rec-run.ts';
import { RegisterFile, writeNumber } from '../abi/register-file.ts';
import { Operand, operandOffset } from '../realm/operand.ts';
import type { Realm } from '../realm/realm.ts';
import type { Rec } from './rec.ts';
import type { RmmState } from './rmm-state.ts';
import { SmcOutcome } from './smc-outcome.ts';
import { reportTimers } from './timers.ts';
import { storeGic } from './vgic.ts';

/** Instructions charged for a call into the RMM, so that a guest that only makes calls is interrupted too. */
export const CALL_COST = 256;

/** Fault status code of a Translation fault at level 0; the level is added (Arm ARM, ESR_ELx, DFSC). */
const TRANSLATION_FAULT = 0x04;

/** One REC_ENTER: the REC that was entered, and access to the host's and the running plane's registers. */
export class RecEntry {
  readonly state: RmmState;
  readonly rec: Rec;
  /** Offset in linear memory of RmiRecRun. */
  readonly run: number;
  /** RmiRecEnterFlags. */
  readonly flags: number;

  constructor(state: RmmState, rec: Rec, run: number, flags: number) {
    this.state = state;
    this.rec = rec;
    this.run = run;
    this.flags = flags;
  }

  get realm(): Realm {
    return this.rec.realm;
  }

  get view(): DataView {
    return this.state.view;
  }

  /** Registers from X0 on of the active plane, whose SMC is served. */
  get registers(): RegisterFile {
    const { rec } = this;
    if (rec.active === 0) return rec.registers;
    return new RegisterFile(this.view, rec.context(rec.active).gprsOffset);
  }

  /** Deducts instructions from what is left on the host's timer. */
  charge(instructions: number): void {
    this.state.budget -= instructions;
  }

  /** Starts a REC exit: clears RmiRecExit and fills in the reason, GIC and timers. */
  exit(reason: RecExitReason): void {
    const { run, rec } = this;
    const { u8, view } = this.state.memory.linear;
    u8.fill(0, run + REC_EXIT_OFFSET, run + GRANULE_SIZE);
    view.setUint8(run + RecExit.reason, reason);
    storeGic(rec.plane(rec.gicOwner).gic, view, run + RecExit.gicv3Hcr);
    reportTimers(rec, view, run);
  }

  /** Fills a 64-bit field of RmiRecExit. @param value an integer of at most 53 bits; negative ones are sign-extended */
  report(field: number, value: number): void {
    writeNumber(this.view, this.run + field, value);
  }

  /** Reports the faulting page in the format of HPFAR_EL2: its number from bit 4 on. */
  reportFaultPage(ipa: number): void {
    this.report(RecExit.hpfar, Math.floor(ipa / GRANULE_SIZE) * 16);
  }

  /** Answers an SMC of the active plane. */
  answer(status: number, x1 = 0, x2 = 0, x3 = 0): SmcOutcome {
    this.registers.setResults(status, x1, x2, x3);
    return SmcOutcome.Resume;
  }

  /**
   * Finds realm memory that is an operand of a command, by the host's current mapping. If nothing is mapped, records a
   * REC exit like that of a data abort; the command must be executed again after the host has mapped the page.
   *
   * @param ipa in the protected half
   * @returns the offset in linear memory, or a value of `Operand`
   */
  operand(ipa: number): number {
    const { realm } = this;
    const offset = operandOffset(realm, ipa);
    if (offset === Operand.Unmapped) {
      this.exit(RecExitReason.Sync);
      this.report(RecExit.esr, ExceptionClass.DataAbortLower * 2 ** 26 + TRANSLATION_FAULT + realm.rtt.level);
      this.reportFaultPage(ipa);
    }
    return offset;
  }
}
