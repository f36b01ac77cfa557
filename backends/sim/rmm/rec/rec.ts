import type { Cpu, CpuContext, Vcpu } from '../../cpu/index.ts';
import { SysregEncoding } from '../abi/plane-sysregs.ts';
import { RegisterFile } from '../abi/register-file.ts';
import type { Realm } from '../realm/realm.ts';
import { Plane0Run } from './plane0-run.ts';
import { RecPlane, timerOffsets } from './rec-plane.ts';
import { RESET_PSTATE, resetContext } from './reset-state.ts';
import type { VcpuSlot } from './vcpu-pool.ts';

/** Initial state of a REC, from RmiRecParams or PSCI CPU_ON. */
interface EntryPoint {
  readonly pc: bigint;
  /** From X0 on; the others are zero. */
  readonly gprs: readonly bigint[];
  readonly sctlr: bigint;
}

/** The last abort, which decides what the next REC_ENTER may ask for. */
interface LastAbort {
  /** Whether enter.flags.emul_mmio and inject_sea are permitted. */
  readonly emulatable: boolean;
  readonly unprotected: boolean;
  /** ESR_EL2, unmasked. */
  readonly esr: number;
  /** FAR_EL2. */
  readonly far: bigint;
}

/** A PSCI request that waits for RMI_PSCI_COMPLETE. */
interface PsciRequest {
  readonly isCpuOn: boolean;
  /** Index of the target REC. */
  readonly target: number;
  readonly entry: bigint;
  readonly contextId: bigint;
}

/** A range that the realm asked the host to change; `addr` is how far the host has got. */
export interface RangeRequest {
  readonly base: number;
  readonly top: number;
  addr: number;
  /** The new RIPAS or overlay index. */
  readonly value: number;
  /** RSI_IPA_STATE_SET: whether RIPAS DESTROYED may change too. */
  readonly changeDestroyed: boolean;
}

/** One REC: a virtual processor, shared by all planes of the realm. */
export class Rec {
  /** Physical address of the REC granule. */
  readonly pa: number;
  readonly realm: Realm;
  readonly index: number;
  readonly aux: readonly number[];
  readonly slot: VcpuSlot;
  readonly planes: readonly RecPlane[];
  runnable: boolean;
  running = false;

  /** The plane that runs when the REC is entered. */
  active = 0;
  /** The plane whose list registers the host sees. */
  gicOwner = 0;
  /** Plane run page of the active auxiliary plane, and the flags with which it was entered. */
  runIpa = 0;
  planeFlags = 0;

  lastAbort: LastAbort | undefined;
  /** IPA of the RsiHostCall to be completed; the active plane made the call. */
  hostCall: number | undefined;
  psci: PsciRequest | undefined;
  ripas: RangeRequest | undefined;
  s2ap: RangeRequest | undefined;
  /** Plane 0's program; undefined if it is guest code or has not started. */
  program: Plane0Run | undefined;

  #entry: EntryPoint | undefined;
  #registers: RegisterFile | undefined;

  constructor(pa: number, realm: Realm, index: number, aux: readonly number[], slot: VcpuSlot, runnable: boolean) {
    this.pa = pa;
    this.realm = realm;
    this.index = index;
    this.aux = aux;
    this.slot = slot;
    this.runnable = runnable;
    this.planes = Array.from({ length: realm.planeCount }, (_, plane) => new RecPlane(plane));
  }

  get vcpu(): Vcpu {
    return this.slot.vcpu;
  }

  plane(index: number): RecPlane {
    const plane = this.planes[index];
    if (plane === undefined) throw new RangeError(`a REC of ${this.planes.length} planes has no plane ${index}`);
    return plane;
  }

  /** CPU context of a plane; created in the reset state when first needed. */
  context(index: number): CpuContext {
    const plane = this.plane(index);
    if (plane.context === undefined) {
      const stage2 = this.realm.stage2[index];
      if (stage2 === undefined) throw new RangeError(`no stage 2 for plane ${index}`);
      plane.context = this.slot.context(index, stage2);
      resetContext(plane.context, plane.shadow);
      plane.timers = timerOffsets(plane.context);
    }
    return plane.context;
  }

  /** Where plane 0 starts, or restarts, when the REC is next entered. */
  setEntry(entry: EntryPoint): void {
    this.#entry = entry;
    this.active = 0;
  }

  /** Starts plane 0, as a program or as guest code, if `setEntry` was called since the last start. */
  begin(cpu: Cpu): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    const stage2 = this.realm.stage2[0];
    if (this.realm.plane0 !== undefined && stage2 !== undefined) {
      const x = new BigUint64Array(18);
      entry.gprs.forEach((value, n) => (x[n] = value));
      this.program = new Plane0Run(this.realm.plane0, x, stage2, cpu);
      this.#registers = RegisterFile.over(x);
      return;
    }
    const context = this.context(0);
    context.pc = entry.pc;
    context.pstate = RESET_PSTATE;
    context.setSysreg(SysregEncoding.SCTLR_EL1, entry.sctlr);
    for (let n = 0; n < 31; n++) context.setX(n, entry.gprs[n] ?? 0n);
    this.#registers = new RegisterFile(this.realm.memory.linear.view, context.gprsOffset);
  }

  /** Registers of plane 0 from X0 on. */
  get registers(): RegisterFile {
    if (this.#registers === undefined) throw new Error('plane 0 was never started');
    const context = this.planes[0]?.context;
    if (context !== undefined && this.program === undefined) this.#registers.moveTo(context.gprsOffset);
    return this.#registers;
  }

  /** Continues plane 0 after the SMC that it executed. */
  advancePlane0(): void {
    if (this.program === undefined) this.context(0).advancePc(4);
    else this.program.completeStep();
  }
}
