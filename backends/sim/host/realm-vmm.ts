import { PetriError } from '../../../petri/errors.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../machine/index.ts';
import {
  HashAlgorithm,
  type Plane0Program,
  RealmFlag1,
  RealmParams,
  type RealmView,
  REC_PARAMS_GPRS,
  REC_RUNNABLE,
  RecParams,
  type Rmm,
} from '../rmm/index.ts';
import type { GranuleAllocator } from './granule-allocator.ts';
import { MmioBus } from './mmio-bus.ts';
import { type EnterResult, type ExitServices, RecExitHandler } from './rec-exit-handler.ts';
import { RecHandle } from './rec-handle.ts';
import { RmiClient } from './rmi-client.ts';
import { rttRootShape } from './rtt-root.ts';
import { Stage2Host } from './stage2-host.ts';

/** IPA of a realm's RAM in kvmtool. */
export const RAM_BASE = 0x8000_0000;

export interface RealmVmmOptions {
  readonly rmm: Rmm;
  readonly memory: PhysicalMemory;
  readonly granules: GranuleAllocator;
  /** Bytes of RAM at `RAM_BASE`. @default 512 MiB */
  readonly ram?: number;
  /** Bits of intermediate physical address. @default 33 */
  readonly ipaWidth?: number;
  /** @default 1 */
  readonly numAuxPlanes?: number;
  /** @default 'sha-256' */
  readonly hashAlgorithm?: 'sha-256' | 'sha-512';
  /** Realm Personalization Value: up to 64 bytes. @default zeros */
  readonly rpv?: Uint8Array;
  /** First of the consecutive VMIDs of the planes; they must be unused by other realms of the machine. @default 1 */
  readonly vmid?: number;
}

/** Initial state of a vCPU. */
export interface RecSetup {
  readonly pc: bigint;
  /** X0 to X7. @default zeros */
  readonly gprs?: readonly bigint[];
  /** False for a vCPU that waits for PSCI CPU_ON. @default true */
  readonly runnable?: boolean;
}

/** RmiRealmParams.num_bps and num_wps: two of each, the fewest that Armv8-A has. */
const DEBUG_REGISTERS = 1;

function ramOutsidePar(ram: number, ipaWidth: number, ramTop: number): PetriError {
  const fitting = Math.ceil(Math.log2(ramTop)) + 1;
  return new PetriError(
    `${ram / 2 ** 20} MiB of RAM from 0x${RAM_BASE.toString(16)} do not fit the protected half of an IPA space of ` +
      `${ipaWidth} bits`,
    { code: 'invalid-config', step: 'config', remedy: `set ipaWidth to ${fitting} or more` },
  );
}

/**
 * The Normal world's VMM for one realm, modelled on kvmtool: everything goes through RMI calls with the values that a
 * real host would pass. The constructor makes the realm and its RAM. Then call `populate`, `createRec` and `activate`
 * in this order, which determines the measurement.
 */
export class RealmVmm {
  /** Physical address of the Realm Descriptor. */
  readonly rd: number;
  readonly recs: RecHandle[] = [];
  readonly mmio = new MmioBus();
  readonly #rmm: Rmm;
  readonly #memory: PhysicalMemory;
  readonly #granules: GranuleAllocator;
  readonly #rmi: RmiClient;
  readonly #stage2: Stage2Host;
  readonly #rttBase: number;
  readonly #rttTables: number;
  readonly #exits: RecExitHandler;

  /** @throws PetriError `invalid-config` if the RAM does not fit, `rmi-failed` if a command fails */
  constructor(options: RealmVmmOptions) {
    const { rmm, memory, granules, ram = 512 * 2 ** 20, ipaWidth = 33 } = options;
    const parTop = 2 ** (ipaWidth - 1);
    const ramTop = RAM_BASE + ram;
    if (ramTop > parTop) throw ramOutsidePar(ram, ipaWidth, ramTop);
    this.#rmm = rmm;
    this.#memory = memory;
    this.#granules = granules;
    this.#rmi = new RmiClient(rmm);

    const { level, tables } = rttRootShape(ipaWidth);
    this.#rttBase = granules.allocateRun(tables);
    this.#rttTables = tables;
    for (let n = 0; n < tables; n++) this.#rmi.must('GRANULE_DELEGATE', this.#rttBase + n * GRANULE_SIZE);
    this.rd = granules.allocate();
    this.#rmi.must('GRANULE_DELEGATE', this.rd);
    this.#withBuffer((params) => {
      this.#writeRealmParams(params, options, ipaWidth, level, tables);
      this.#rmi.must('REALM_CREATE', this.rd, params);
    });

    this.#stage2 = new Stage2Host(this.#rmi, granules, this.rd, parTop);
    const layout = { ramBase: RAM_BASE, ramTop, parTop };
    const services: ExitServices = {
      memory,
      rmi: this.#rmi,
      stage2: this.#stage2,
      mmio: this.mmio,
    };
    this.#exits = new RecExitHandler(this, services, layout);
    const reached = this.#stage2.cover('RTT_INIT_RIPAS', RAM_BASE, ramTop, (from) =>
      this.#rmi.call('RTT_INIT_RIPAS', this.rd, from, ramTop),
    );
    if (reached < ramTop) throw this.#rmi.failure('RTT_INIT_RIPAS', this.#rmi.result(1), [this.rd, reached, ramTop]);
  }

  /** The realm as a debugger sees it. */
  get view(): RealmView {
    const view = this.#rmm.inspect(this.rd);
    if (view === undefined) throw new Error('the realm is destroyed');
    return view;
  }

  /** Replaces plane 0 by a program in TypeScript, which a real host could not do. */
  setPlane0(program: Plane0Program): void {
    this.#rmm.setPlane0(this.rd, program);
  }

  /** Copies bytes into the RAM of the new realm, page by page, and measures them. @param ipa page-aligned, in RAM */
  populate(ipa: number, bytes: Uint8Array): void {
    this.#withBuffer((source) => {
      const page = this.#memory.bytesAt(source, GRANULE_SIZE);
      for (let at = 0; at < bytes.length; at += GRANULE_SIZE) {
        const chunk = bytes.subarray(at, at + GRANULE_SIZE);
        page.set(chunk);
        page.fill(0, chunk.length);
        this.#stage2.populate(ipa + at, source);
      }
    });
  }

  /** Makes the next vCPU; the first has MPIDR affinity 0. */
  createRec({ pc, gprs = [], runnable = true }: RecSetup): RecHandle {
    const index = this.recs.length;
    const mpidr = (index & 0xf) | ((index >>> 4) << 8);
    this.#rmi.must('REC_AUX_COUNT', this.rd);
    const aux = Array.from({ length: this.#rmi.result(1) }, () => this.#stage2.delegated());
    const pa = this.#stage2.delegated();
    this.#withBuffer((params) => {
      const view = this.#emptyPage(params);
      view.setUint32(RecParams.flags, runnable ? REC_RUNNABLE : 0, true);
      view.setUint32(RecParams.mpidr, mpidr, true);
      view.setBigUint64(RecParams.pc, pc, true);
      for (let n = 0; n < REC_PARAMS_GPRS; n++) view.setBigUint64(RecParams.gprs + n * 8, gprs[n] ?? 0n, true);
      view.setUint32(RecParams.numAux, aux.length, true);
      aux.forEach((granule, n) => view.setBigUint64(RecParams.aux + n * 8, BigInt(granule), true));
      this.#rmi.must('REC_CREATE', this.rd, pa, params);
    });
    const run = this.#granules.allocate();
    this.#emptyPage(run);
    const rec = new RecHandle({ index, mpidr, pa, aux, run, runOffset: this.#memory.offsetOf(run), runnable });
    this.recs.push(rec);
    return rec;
  }

  /** Activates the realm: the RIM is final, and RECs may be entered. */
  activate(): void {
    this.#rmi.must('REALM_ACTIVATE', this.rd);
    this.#rmi.step = 'run';
  }

  /**
   * Enters a REC once and serves its exit.
   *
   * @param instructions of the guest until the host's timer interrupts it
   * @throws PetriError `rmi-failed` if a command fails
   */
  enter(rec: RecHandle, instructions: number): EnterResult {
    this.#rmm.interruptAfter(instructions);
    this.#rmi.must('REC_ENTER', rec.pa, rec.run);
    return this.#exits.serve(rec);
  }

  /** Registers the handler of RSI_HOST_CALL. @see RecExitHandler.onHostCall */
  onHostCall(handler: RecExitHandler['onHostCall']): void {
    this.#exits.onHostCall = handler;
  }

  /**
   * Reclaims everything through RMI: RECs, pages, tables, the realm. Not needed if the whole machine is discarded.
   */
  destroy(): void {
    this.#rmi.step = 'teardown';
    for (const { pa, aux, run } of this.recs) {
      this.#rmi.must('REC_DESTROY', pa);
      for (const granule of [pa, ...aux]) this.#stage2.reclaim(granule);
      this.#granules.free(run);
    }
    this.recs.length = 0;
    this.#stage2.destroyAll();
    this.#rmi.must('REALM_DESTROY', this.rd);
    for (let n = 0; n < this.#rttTables; n++) this.#stage2.reclaim(this.#rttBase + n * GRANULE_SIZE);
    this.#stage2.reclaim(this.rd);
  }

  #writeRealmParams(params: number, options: RealmVmmOptions, ipaWidth: number, level: number, tables: number): void {
    const { numAuxPlanes = 1, hashAlgorithm = 'sha-256', rpv, vmid = 1 } = options;
    const view = this.#emptyPage(params);
    view.setUint8(RealmParams.s2sz, ipaWidth);
    view.setUint8(RealmParams.numBps, DEBUG_REGISTERS);
    view.setUint8(RealmParams.numWps, DEBUG_REGISTERS);
    view.setUint8(RealmParams.hashAlgorithm, HashAlgorithm[hashAlgorithm === 'sha-256' ? 'Sha256' : 'Sha512']);
    view.setUint32(RealmParams.numAuxPlanes, numAuxPlanes, true);
    if (rpv !== undefined) this.#memory.bytesAt(params + RealmParams.rpv, 64).set(rpv);
    view.setUint16(RealmParams.vmid, vmid, true);
    view.setBigUint64(RealmParams.rttBase, BigInt(this.#rttBase), true);
    view.setUint32(RealmParams.rttLevelStart, level, true);
    view.setUint32(RealmParams.rttNumStart, tables, true);
    view.setUint32(RealmParams.flags1, numAuxPlanes > 0 ? RealmFlag1.s2apIndirect : 0, true);
    for (let plane = 0; plane < numAuxPlanes; plane++) {
      view.setUint16(RealmParams.auxVmid + plane * 2, vmid + 1 + plane, true);
    }
  }

  /** Calls `use` with a temporary page of the Normal world. */
  #withBuffer(use: (pa: number) => void): void {
    const pa = this.#granules.allocate();
    try {
      use(pa);
    } finally {
      this.#granules.free(pa);
    }
  }

  #emptyPage(pa: number): DataView {
    const { linear } = this.#memory;
    const offset = this.#memory.offsetOf(pa);
    linear.u8.fill(0, offset, offset + GRANULE_SIZE);
    return new DataView(linear.u8.buffer, offset, GRANULE_SIZE);
  }
}
