import { LinearMemory } from '../../cpu/index.ts';
import { PhysicalMemory } from '../../machine/index.ts';
import {
  type Plane0Program,
  RealmFlag1,
  RealmParams,
  RecParams,
  Rmi,
  type RmiCommand,
  RmiStatus,
  Rmm,
} from '../index.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { ScriptedCpu } from './scripted-cpu.ts';

const GRANULE = 4096;
export const DRAM_AT = 0x10_0000;
export const RAM = 0x8000_0000;
/** Size of the guard areas before and after DRAM, which nothing may write. */
export const GUARD = 0x1_0000;

/** An RMM whose internals tests can access. */
class OpenRmm extends Rmm {
  get internals(): RmmState {
    return this.state;
  }
}

/** An RMM on a scripted CPU, with a minimal host: a test makes every RMI call itself or with these shorthands. */
export class TestMachine {
  readonly linear: LinearMemory;
  readonly memory: PhysicalMemory;
  readonly cpu: ScriptedCpu;
  readonly rmm: OpenRmm;
  readonly x = new BigUint64Array(18);
  #next: number;

  constructor(bytes = 8 * 2 ** 20) {
    this.linear = new LinearMemory(DRAM_AT + bytes + GUARD);
    this.memory = new PhysicalMemory(this.linear, DRAM_AT, bytes);
    this.cpu = new ScriptedCpu(this.linear);
    this.rmm = new OpenRmm({ memory: this.memory, cpu: this.cpu });
    this.#next = this.memory.base;
  }

  /** A call by name. @returns X0; all results are in `x` */
  call(command: RmiCommand, ...args: readonly (number | bigint)[]): number {
    return this.smc(Rmi[command], ...args);
  }

  smc(fid: number, ...args: readonly (number | bigint)[]): number {
    this.x.fill(0n);
    this.x[0] = BigInt(fid);
    args.forEach((value, n) => (this.x[n + 1] = BigInt.asUintN(64, BigInt(value))));
    this.rmm.rmi(this.x);
    return Number(BigInt.asIntN(64, this.x[0]));
  }

  /** A call that must succeed. */
  must(command: RmiCommand, ...args: readonly (number | bigint)[]): void {
    const result = this.call(command, ...args);
    if (result !== RmiStatus.Success) throw new Error(`${command} gave ${result}`);
  }

  out(n: number): number {
    return Number(this.x[n]);
  }

  /** Allocates consecutive granules, aligned to their number. */
  granule(count = 1): number {
    const bytes = count * GRANULE;
    const pa = Math.ceil(this.#next / bytes) * bytes;
    this.#next = pa + bytes;
    return pa;
  }

  delegated(): number {
    const pa = this.granule();
    this.must('GRANULE_DELEGATE', pa);
    return pa;
  }

  view(pa: number): DataView {
    return new DataView(this.linear.u8.buffer, this.memory.offsetOf(pa), GRANULE);
  }
}

export interface TestRealmOptions {
  readonly ipaWidth?: number;
  readonly startLevel?: number;
  readonly tables?: number;
  readonly numAuxPlanes?: number;
  readonly hashAlgorithm?: number;
  readonly vmid?: number;
}

/** RmiRealmParams in a page of the Normal world. @returns its address */
export function realmParams(machine: TestMachine, rttBase: number, options: TestRealmOptions = {}): number {
  const { ipaWidth = 33, startLevel = 2, tables = 8, numAuxPlanes = 1, hashAlgorithm = 0, vmid = 1 } = options;
  const params = machine.granule();
  const view = machine.view(params);
  view.setUint8(RealmParams.s2sz, ipaWidth);
  view.setUint8(RealmParams.numBps, 1);
  view.setUint8(RealmParams.numWps, 1);
  view.setUint8(RealmParams.hashAlgorithm, hashAlgorithm);
  view.setUint8(RealmParams.numAuxPlanes, numAuxPlanes);
  view.setUint16(RealmParams.vmid, vmid, true);
  view.setBigUint64(RealmParams.rttBase, BigInt(rttBase), true);
  view.setUint8(RealmParams.rttLevelStart, startLevel);
  view.setUint32(RealmParams.rttNumStart, tables, true);
  view.setUint8(RealmParams.flags1, numAuxPlanes > 0 ? RealmFlag1.s2apIndirect : 0);
  for (let n = 0; n < numAuxPlanes; n++) view.setUint16(RealmParams.auxVmid + n * 2, vmid + 1 + n, true);
  return params;
}

/** One realm of a test machine. */
export class TestRealm {
  readonly machine: TestMachine;
  readonly rd: number;
  readonly rttBase: number;
  readonly recs: { pa: number; run: number }[] = [];

  constructor(machine: TestMachine, options: TestRealmOptions = {}) {
    this.machine = machine;
    const tables = options.tables ?? 8;
    this.rttBase = machine.granule(tables);
    for (let n = 0; n < tables; n++) machine.must('GRANULE_DELEGATE', this.rttBase + n * GRANULE);
    this.rd = machine.delegated();
    machine.must('REALM_CREATE', this.rd, realmParams(machine, this.rttBase, options));
  }

  createTable(ipa: number, level: number): number {
    const table = this.machine.delegated();
    this.machine.must('RTT_CREATE', this.rd, table, ipa, level);
    return table;
  }

  /** Maps empty pages of RAM, and the leaf table that they need. */
  mapRam(ipa: number, pages: number): void {
    const block = Math.floor(ipa / 2 ** 21) * 2 ** 21;
    if (this.machine.call('RTT_READ_ENTRY', this.rd, block, 2) === 0 && this.machine.out(2) !== 2) {
      this.createTable(block, 3);
    }
    for (let n = 0; n < pages; n++) {
      this.machine.must('DATA_CREATE_UNKNOWN', this.rd, this.machine.delegated(), ipa + n * GRANULE);
    }
  }

  initRipas(base: number, top: number): void {
    for (let from = base; from < top; from = this.machine.out(1))
      this.machine.must('RTT_INIT_RIPAS', this.rd, from, top);
  }

  /** RmiRecParams in a page of the Normal world. */
  recParams({ mpidr = 0, runnable = true, pc = BigInt(RAM), gprs = [] as readonly bigint[] } = {}): number {
    const { machine } = this;
    const params = machine.granule();
    const view = machine.view(params);
    machine.must('REC_AUX_COUNT', this.rd);
    const count = machine.out(1);
    view.setUint8(RecParams.flags, runnable ? 1 : 0);
    view.setUint32(RecParams.mpidr, mpidr, true);
    view.setBigUint64(RecParams.pc, pc, true);
    gprs.forEach((value, n) => {
      view.setBigUint64(RecParams.gprs + n * 8, value, true);
    });
    view.setUint32(RecParams.numAux, count, true);
    for (let n = 0; n < count; n++) view.setBigUint64(RecParams.aux + n * 8, BigInt(machine.delegated()), true);
    return params;
  }

  createRec(options: Parameters<TestRealm['recParams']>[0] = {}): { pa: number; run: number } {
    const pa = this.machine.delegated();
    this.machine.must('REC_CREATE', this.rd, pa, this.recParams({ mpidr: this.recs.length, ...options }));
    const rec = { pa, run: this.machine.granule() };
    this.recs.push(rec);
    return rec;
  }

  /** Enters the first REC. @returns X0 */
  enter(flags = 0, rec = this.recs[0]): number {
    if (rec === undefined) throw new Error('the realm has no REC');
    this.machine.view(rec.run).setUint32(0, flags, true);
    return this.machine.call('REC_ENTER', rec.pa, rec.run);
  }

  /** The run page of the first REC. */
  get run(): DataView {
    const [rec] = this.recs;
    if (rec === undefined) throw new Error('the realm has no REC');
    return this.machine.view(rec.run);
  }

  /** Offset in linear memory of an IPA, by plane 0's mapping. */
  locate(ipa: number): number {
    return this.machine.rmm.inspect(this.rd)?.locate(ipa) ?? -1;
  }
}

/** A machine with one active realm: 512 MiB of RAM, its first 16 pages mapped, one REC. */
export function runningRealm(program?: Plane0Program, options: TestRealmOptions = {}): TestRealm {
  const realm = new TestRealm(new TestMachine(), options);
  realm.initRipas(RAM, RAM + 512 * 2 ** 20);
  realm.mapRam(RAM, 16);
  if (program !== undefined) realm.machine.rmm.setPlane0(realm.rd, program);
  realm.createRec();
  realm.machine.must('REALM_ACTIVATE', realm.rd);
  return realm;
}

/** A plane 0 that makes the SMCs of `body` and parks. `call` returns X0 after an SMC with the given registers. */
export function plane0(body: (port: Plane0Kit) => Generator<{ kind: 'smc' }, void, void>): Plane0Program {
  return function* (port) {
    yield* body({
      x: port.x,
      locate: (ipa) => port.locate(ipa, true),
      view: port.linear.view,
      *call(fid, ...args) {
        port.x.fill(0n);
        port.x[0] = BigInt(fid);
        args.forEach((value, n) => (port.x[n + 1] = BigInt.asUintN(64, BigInt(value))));
        yield { kind: 'smc' };
        return Number(BigInt.asIntN(64, port.x[0]));
      },
    });
    for (;;) yield { kind: 'park' };
  };
}

export interface Plane0Kit {
  readonly x: BigUint64Array;
  readonly view: DataView;
  locate(ipa: number): number;
  call(fid: number, ...args: readonly (number | bigint)[]): Generator<{ kind: 'smc' }, number, void>;
}
