import { faultOrigin, vectorNote, type ExceptionState } from '../../../../petri/kit/arm/index.ts';
import type {
  TmkEvent,
  HaltReason,
  PlaneExit,
  PlaneInspector,
  Registers,
  VmConfig,
} from '../../../../petri/contract/index.ts';
import {
  imagePages,
  type LoadablePayload,
  placeTmk,
  type TmkPlacement,
  type TmkListener,
  TmkMonitor,
} from '../../../../petri/tmk/index.ts';
import { ExceptionClass } from '../../cpu/index.ts';
import { type EnterResult, GranuleAllocator, RAM_BASE, RealmVmm, type RecHandle } from '../../host/index.ts';
import { GRANULE_SIZE, type Machine, machinePool } from '../../machine/index.ts';
import { type PlaneOutcome, PlaneRunCore } from '../../paravisor/index.ts';
import { Rmm } from '../../rmm/index.ts';
import { exceptionState } from '../exception-state.ts';
import type { Guest, GuestDebug } from '../guest.ts';
import type { TmkFactory } from '../kind.ts';
import { logUndefined } from '../undefined-log.ts';
import { InspectedRealm, RealmPlane } from './realm-inspectors.ts';

const MIB = 1024 * 1024;

/** Plane 0 keeps pages for itself at the start of RAM, and gives plane 1 four MiB, as tmk_vmm does. */
const REALM_CONFIG_PAGE = RAM_BASE;
const RUN_PAGE = RAM_BASE + GRANULE_SIZE;
/** Aligned to 2 MiB and far below 0x847f_f000, an address that a TMK of OpenVMM expects to belong to plane 0. */
const TMK_BASE = RAM_BASE + 2 * MIB;
const TMK_BYTES = 4 * MIB;
/** DRAM in addition to the realm's RAM: root tables, descriptors, buffers, and one leaf table for each 2 MiB. */
const HOST_BYTES = 16 * MIB;
const RAM_PER_TABLE = 512;

const PAYLOAD_PLANE = 1;
const FIRST_REC = 0;

/** A TMK in plane 1 of a realm that the host VMM makes through RMI; its plane 0 is the plane-run core. */
class RealmGuest implements Guest {
  readonly realm: InspectedRealm;
  readonly planes: readonly (PlaneInspector | undefined)[];
  readonly #monitor: TmkMonitor;
  readonly #placement: TmkPlacement;
  readonly #listener: TmkListener;
  readonly #machine: Machine;
  readonly #granules: GranuleAllocator;
  readonly #rmm: Rmm;
  readonly #vmm: RealmVmm;
  readonly #rec: RecHandle;
  readonly #plane: RealmPlane;
  #core: PlaneRunCore | undefined;
  #outstayed: () => boolean = () => false;
  /** Values to report after the machine was given back. */
  #final: { readonly retired: number; readonly work: number } | undefined;

  /** @throws PetriError `payload-too-large`, `rmi-failed` */
  constructor(payload: LoadablePayload, config: VmConfig, listener: TmkListener) {
    this.#placement = placeTmk(payload, TMK_BASE, TMK_BYTES);
    this.#monitor = new TmkMonitor(payload.image, TMK_BASE, listener);
    this.#listener = listener;
    this.#machine = machinePool.acquire(config.memory + config.memory / RAM_PER_TABLE + HOST_BYTES);
    const { cpu, dram } = this.#machine;
    logUndefined(cpu, this.#monitor.locator, listener.log);
    this.#granules = new GranuleAllocator(dram);
    this.#rmm = new Rmm({ memory: dram, cpu, model: config.rmm });
    this.#vmm = new RealmVmm({
      rmm: this.#rmm,
      memory: dram,
      granules: this.#granules,
      ram: config.memory,
      ipaWidth: config.ipaWidth,
      numAuxPlanes: config.planes,
      hashAlgorithm: config.measurementAlgorithm,
      rpv: config.rpv,
    });
    for (const { address, bytes } of imagePages(payload, TMK_BASE)) this.#vmm.populate(address, bytes);
    this.#rec = this.#vmm.createRec({ pc: 0n });
    this.#vmm.activate();
    const { view } = this.#vmm;
    this.realm = new InspectedRealm(view);
    this.#plane = new RealmPlane(PAYLOAD_PLANE, view, () => this.#core?.exits);
    this.planes = [undefined, this.#plane];
  }

  boot(testIndex: number): void {
    const { entry, startInput } = this.#placement;
    this.#core = new PlaneRunCore(
      {
        realmConfigPage: REALM_CONFIG_PAGE,
        runPage: RUN_PAGE,
        ram: { base: TMK_BASE, bytes: TMK_BYTES },
        startInput,
        entry,
        testIndex,
      },
      { monitor: this.#monitor, log: this.#listener.log, pulse: () => this.#pulse() },
    );
    this.#vmm.setPlane0(this.#core.program);
  }

  get retired(): number {
    return this.#final?.retired ?? this.#vmm.view.instructions;
  }

  get work(): number {
    return this.#final?.work ?? this.#vmm.view.work;
  }

  get events(): readonly TmkEvent[] {
    return this.#monitor.events;
  }

  /** Plane 1 only: plane 0 is no guest code. */
  get debug(): GuestDebug {
    const { view } = this.#vmm;
    const vcpu = view.vcpu(FIRST_REC);
    const context = view.context(FIRST_REC, PAYLOAD_PLANE);
    return {
      cpu: this.#machine.cpu,
      loadOffset: this.#placement.base,
      vcpus: vcpu === undefined || context === undefined ? [] : [{ vcpu, context }],
    };
  }

  registers(vcpu?: number): Registers {
    return this.#plane.registers(vcpu);
  }

  expired(reason: 'budget' | 'timeout', why: string): HaltReason {
    const state = this.#final === undefined ? this.#exceptionState() : undefined;
    return this.#monitor.expired(reason, why, this.registers(), vectorNote(state, this.#monitor.locator));
  }

  get #effort(): number {
    return this.#vmm.view.effort;
  }

  run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    this.#outstayed = outstayed;
    const until = this.#effort + budget;
    for (;;) {
      const left = until - this.#effort;
      if (left <= 0) return undefined;
      const result = this.#vmm.enter(this.#rec, left);
      const outcome = this.#core?.outcome;
      if (outcome !== undefined) return this.#haltOf(outcome);
      const halt = this.#haltOfExit(result);
      if (halt !== undefined) return halt;
      if (result.kind === 'continue' && result.interrupted) return undefined;
      if (outstayed()) return undefined;
    }
  }

  release(): void {
    if (this.#final !== undefined) return;
    this.#final = { retired: this.retired, work: this.work };
    this.#plane.freeze();
    this.realm.freeze();
    machinePool.release(this.#machine, [{ offset: this.#machine.dram.offset, bytes: this.#granules.highWater }]);
  }

  /** Ends the current REC_ENTER if the time slice is over. */
  #pulse(): void {
    if (this.#outstayed()) this.#rmm.interruptAfter(0);
  }

  #haltOf(outcome: PlaneOutcome): HaltReason {
    switch (outcome.kind) {
      case 'verdict':
        return outcome.halt;
      case 'fault':
        return this.#fault(outcome.message, outcome.exit);
      case 'lost':
        return { reason: 'backend-lost', message: outcome.message };
    }
  }

  #haltOfExit(result: EnterResult): HaltReason | undefined {
    switch (result.kind) {
      case 'continue':
        return undefined;
      case 'fault':
        return this.#fault(`REC exit to the host: ${result.message}`, undefined);
      case 'cpu-off':
      case 'system-off':
        return { reason: 'power-off' };
      case 'system-reset':
        return { reason: 'reset' };
    }
  }

  /** Explains the address of a data access; for a fetch the message already does. */
  #explain(exit: PlaneExit | undefined): string {
    return exit?.ec === ExceptionClass.DataAbortLower && exit.ipa !== undefined
      ? this.#monitor.locator.explainHole(exit.ipa)
      : '';
  }

  #fault(message: string, exit: PlaneExit | undefined): HaltReason {
    const registers = this.registers();
    const origin = faultOrigin(this.#exceptionState(), registers, this.#monitor.locator);
    return this.#monitor.haltAt('fault', message + this.#explain(exit) + origin, registers, exit);
  }

  #exceptionState(): ExceptionState | undefined {
    return exceptionState(this.#vmm.view.context(FIRST_REC, PAYLOAD_PLANE));
  }
}

export const realmGuests: TmkFactory = {
  make: (payload, config, listener) => new RealmGuest(payload, config, listener),
};
