import { accessBytes, hasValidSyndrome, isWrite } from '../../../petri/kit/arm/index.ts';
import { ExceptionClass } from '../cpu/index.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../machine/index.ts';
import { GPR_COUNT, Psci, PsciStatus, RecEnter, RecEnterFlag, RecExit, RecExitReason, Ripas } from '../rmm/index.ts';
import type { MmioBus } from './mmio-bus.ts';
import type { RecHandle } from './rec-handle.ts';
import type { RmiClient } from './rmi-client.ts';
import type { Stage2Host } from './stage2-host.ts';

/** How one REC_ENTER ended. */
export type EnterResult =
  /** The REC can be entered again; `interrupted` if the host's timer ended the run. */
  | { readonly kind: 'continue'; readonly interrupted: boolean }
  /** The vCPU turned itself off; another one may turn it on. */
  | { readonly kind: 'cpu-off' }
  | { readonly kind: 'system-off' }
  | { readonly kind: 'system-reset' }
  /** The realm did something after which this host cannot continue. */
  | { readonly kind: 'fault'; readonly message: string; readonly esr: number; readonly ipa: number };

const CONTINUE: EnterResult = { kind: 'continue', interrupted: false };
const INTERRUPTED: EnterResult = { kind: 'continue', interrupted: true };
const CPU_OFF: EnterResult = { kind: 'cpu-off' };
const SYSTEM_OFF: EnterResult = { kind: 'system-off' };
const SYSTEM_RESET: EnterResult = { kind: 'system-reset' };

/** The RAM in a realm's address space, and the start of its unprotected half. */
interface RealmLayout {
  readonly ramBase: number;
  readonly ramTop: number;
  readonly parTop: number;
}

/** The handler's dependencies. */
export interface ExitServices {
  readonly memory: PhysicalMemory;
  readonly rmi: RmiClient;
  readonly stage2: Stage2Host;
  readonly mmio: MmioBus;
}

/** Normal write-back memory that the realm may read and write. */
const SHARED_RAM_ATTRIBUTES = (0b11 << 6) | (0b110 << 2);

/** Serves the exits of RECs as KVM and kvmtool do. */
export class RecExitHandler {
  /** Answers RSI_HOST_CALL: `gprs` are X0 to X30 from the realm, returned to it as the handler leaves them. */
  onHostCall: (imm: number, gprs: BigUint64Array) => void = () => undefined;
  readonly #realm: { readonly rd: number; readonly recs: readonly RecHandle[] };
  readonly #services: ExitServices;
  readonly #layout: RealmLayout;
  readonly #view: DataView;

  constructor(
    realm: { readonly rd: number; readonly recs: readonly RecHandle[] },
    services: ExitServices,
    layout: RealmLayout,
  ) {
    this.#realm = realm;
    this.#services = services;
    this.#layout = layout;
    this.#view = services.memory.linear.view;
  }

  /** Serves the exit in the run page, and writes the answer there for the next REC_ENTER. */
  serve(rec: RecHandle): EnterResult {
    const reason = this.#view.getUint8(rec.runOffset + RecExit.reason);
    this.#setFlags(rec, 0);
    switch (reason) {
      case RecExitReason.Irq:
      case RecExitReason.Fiq:
        return INTERRUPTED;
      case RecExitReason.Sync:
        return this.#sync(rec);
      case RecExitReason.Psci:
        return this.#psci(rec);
      case RecExitReason.RipasChange:
        return this.#ripasChange(rec);
      case RecExitReason.S2apChange:
        return this.#s2apChange(rec);
      case RecExitReason.HostCall:
        return this.#hostCall(rec);
      default:
        return this.#fault(rec, `the REC exited for reason ${reason}, which this host does not serve`);
    }
  }

  #sync(rec: RecHandle): EnterResult {
    const esr = this.#esr(rec);
    const ipa = this.#ipa(rec);
    const ec = esr >>> 26;
    if (ec === ExceptionClass.Wfx) return CONTINUE;
    if (ec !== ExceptionClass.DataAbortLower && ec !== ExceptionClass.InstructionAbortLower) {
      return this.#fault(rec, 'the realm took an exception that the RMM does not report to the host');
    }
    const { stage2 } = this.#services;
    const { parTop } = this.#layout;
    if (ipa < parTop) {
      if (this.#isRam(ipa) && stage2.mapPage(ipa) === 'mapped') return CONTINUE;
      const what = this.#isRam(ipa) ? 'memory that the host had destroyed' : 'an address without RAM';
      return this.#fault(rec, `the realm touched ${what}, IPA 0x${ipa.toString(16)}`);
    }
    if (this.#isRam(ipa - parTop)) {
      if (stage2.mapShared(ipa, SHARED_RAM_ATTRIBUTES) === 'mapped') return CONTINUE;
      return this.#fault(rec, `the realm has no permission for its access to the shared IPA 0x${ipa.toString(16)}`);
    }
    if (!hasValidSyndrome(esr)) {
      return this.#fault(rec, `an access at IPA 0x${ipa.toString(16)} cannot be emulated: its syndrome is not valid`);
    }
    this.#emulate(rec, esr, ipa - parTop);
    return CONTINUE;
  }

  #emulate(rec: RecHandle, esr: number, page: number): void {
    const { mmio } = this.#services;
    const { runOffset } = rec;
    const address = page + this.#view.getUint32(runOffset + RecExit.far, true);
    const bytes = accessBytes(esr);
    if (isWrite(esr)) {
      mmio.write(address, bytes, this.#view.getBigUint64(runOffset + RecExit.gprs, true));
    } else {
      this.#view.setBigUint64(runOffset + RecEnter.gprs, BigInt.asUintN(64, mmio.read(address, bytes)), true);
    }
    this.#setFlags(rec, RecEnterFlag.emulMmio);
  }

  #psci(rec: RecHandle): EnterResult {
    const fid = this.#number(rec, RecExit.gprs);
    switch (fid) {
      case Psci.SYSTEM_OFF:
        return SYSTEM_OFF;
      case Psci.SYSTEM_RESET:
        return SYSTEM_RESET;
      case Psci.CPU_OFF:
        rec.runnable = false;
        return CPU_OFF;
      case Psci.CPU_ON:
      case Psci.CPU_ON64:
      case Psci.AFFINITY_INFO:
      case Psci.AFFINITY_INFO64: {
        const mpidr = this.#number(rec, RecExit.gprs + 8);
        const target = this.#realm.recs.find((other) => other.mpidr === mpidr);
        if (target === undefined)
          return this.#fault(rec, `PSCI names vCPU 0x${mpidr.toString(16)}, which does not exist`);
        this.#services.rmi.must('PSCI_COMPLETE', rec.pa, target.pa, PsciStatus.Success);
        if (fid === Psci.CPU_ON || fid === Psci.CPU_ON64) target.runnable = true;
        return CONTINUE;
      }
      default:
        return CONTINUE;
    }
  }

  /** RAM may be given up and reclaimed; other addresses cannot become RAM. */
  #ripasChange(rec: RecHandle): EnterResult {
    const base = this.#number(rec, RecExit.ripasBase);
    const top = this.#number(rec, RecExit.ripasTop);
    const value = this.#view.getUint8(rec.runOffset + RecExit.ripasValue);
    const { rmi, stage2 } = this.#services;
    const limit = value === Ripas.Ram ? Math.min(top, this.#layout.ramTop) : top;
    let reached = base;
    if (value !== Ripas.Ram || base >= this.#layout.ramBase) {
      reached = stage2.cover('RTT_SET_RIPAS', base, limit, (from) =>
        rmi.call('RTT_SET_RIPAS', this.#realm.rd, rec.pa, from, limit),
      );
    }
    if (value === Ripas.Empty) stage2.destroyPages(base, reached);
    if (reached < top) this.#setFlags(rec, RecEnterFlag.ripasReject);
    return CONTINUE;
  }

  /** Changes the whole range at once, since OpenHCL's kernel asks only once. */
  #s2apChange(rec: RecHandle): EnterResult {
    const base = this.#number(rec, RecExit.s2apBase);
    const top = this.#number(rec, RecExit.s2apTop);
    const { rmi, stage2 } = this.#services;
    const reached = stage2.cover('RTT_SET_S2AP', base, top, (from) =>
      rmi.call('RTT_SET_S2AP', this.#realm.rd, rec.pa, from, top),
    );
    if (reached < top) this.#setFlags(rec, RecEnterFlag.s2apReject);
    return CONTINUE;
  }

  #hostCall(rec: RecHandle): EnterResult {
    const { runOffset } = rec;
    const gprs = new BigUint64Array(GPR_COUNT);
    for (let n = 0; n < GPR_COUNT; n++) gprs[n] = this.#view.getBigUint64(runOffset + RecExit.gprs + n * 8, true);
    this.onHostCall(this.#view.getUint16(runOffset + RecExit.imm, true), gprs);
    gprs.forEach((value, n) => {
      this.#view.setBigUint64(runOffset + RecEnter.gprs + n * 8, value, true);
    });
    return CONTINUE;
  }

  #fault(rec: RecHandle, message: string): EnterResult {
    return { kind: 'fault', message, esr: this.#esr(rec), ipa: this.#ipa(rec) };
  }

  #isRam(ipa: number): boolean {
    return ipa >= this.#layout.ramBase && ipa < this.#layout.ramTop;
  }

  #esr(rec: RecHandle): number {
    return this.#view.getUint32(rec.runOffset + RecExit.esr, true);
  }

  /** IPA of the faulting page: HPFAR_EL2 holds its number from bit 4 on. */
  #ipa(rec: RecHandle): number {
    return (this.#number(rec, RecExit.hpfar) / 16) * GRANULE_SIZE;
  }

  #number(rec: RecHandle, field: number): number {
    const at = rec.runOffset + field;
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  #setFlags(rec: RecHandle, flags: number): void {
    this.#view.setUint32(rec.runOffset + RecEnter.flags, flags, true);
  }
}
