import {
  Clock,
  type Cpu,
  type CpuContext,
  type El2Registers,
  type LinearMemory,
  RunExit,
  type Stage2,
  type SyncExit,
  type Vcpu,
} from '../../cpu/index.ts';

const EL2_AT = 0x1000;
const CONTEXTS_AT = 0x2000;
const CONTEXT_BYTES = 0x200;
const PC_AT = 31 * 8;

/** One `Vcpu.run`: the actions of the guest. */
export type RunScript = (vcpu: ScriptedVcpu) => RunExit;

/** Processors that act as scripted, one entry for each run. Without a script, the run uses up its budget. */
export class ScriptedCpu implements Cpu {
  readonly memory: LinearMemory;
  readonly clock = new Clock();
  readonly script: RunScript[] = [];
  readonly invalidated: { stage2: Stage2; ipa: number; bytes: number }[] = [];
  contexts = 0;
  onUndefined: Cpu['onUndefined'] = undefined;

  constructor(memory: LinearMemory) {
    this.memory = memory;
  }

  createVcpu(): ScriptedVcpu {
    return new ScriptedVcpu(this);
  }

  invalidate(stage2: Stage2, ipa: number, bytes: number): void {
    this.invalidated.push({ stage2, ipa, bytes });
  }

  wrote(): void {
    // There is no decoded code to drop.
  }

  save(): never {
    throw new RangeError('a script has no state');
  }

  restore(): void {
    // A script has no state.
  }

  recycle(): void {
    this.contexts = 0;
  }
}

export class ScriptedVcpu implements Vcpu {
  readonly exit: SyncExit = { target: 2, ec: 0, esr: 0, ipa: 0, permission: false, write: false, instruction: 0 };
  readonly simdOffset = 0;
  readonly el2: El2Registers = { esr: EL2_AT, far: EL2_AT + 8, hpfar: EL2_AT + 16 };
  readonly cpu: ScriptedCpu;
  readonly mpidr = 0;
  readonly waiting = 'wfi';
  readonly waitsUntil = Infinity;
  readonly awake = true;
  readonly timerDeadline = Infinity;
  readonly interruptPending = false;
  retired = 0;
  #active: ScriptedContext | undefined;

  constructor(cpu: ScriptedCpu) {
    this.cpu = cpu;
  }

  connect(): void {
    // A script has no interrupts.
  }

  preempt(): void {
    // A script has no alarms.
  }

  get work(): number {
    return this.retired;
  }

  get effort(): number {
    return this.retired;
  }

  get active(): ScriptedContext {
    if (this.#active === undefined) throw new RangeError('no context has been activated on this vCPU');
    return this.#active;
  }

  createContext(stage2: Stage2): ScriptedContext {
    return new ScriptedContext(this.cpu.memory, CONTEXTS_AT + this.cpu.contexts++ * CONTEXT_BYTES, stage2);
  }

  activate(context: CpuContext): void {
    if (!(context instanceof ScriptedContext)) throw new TypeError('a context of another CPU');
    this.#active = context;
  }

  reset(stage2: Stage2): void {
    this.active.reset(stage2);
  }

  run(budget: number): RunExit {
    const step = this.cpu.script.shift();
    if (step !== undefined) return step(this);
    this.retired += budget;
    return RunExit.Budget;
  }

  /** Records a synchronous exception to EL2. */
  trap(exit: Partial<SyncExit> & { far?: bigint; hpfar?: bigint }): RunExit {
    this.retired += 1;
    const { far = 0n, hpfar = 0n, ...rest } = exit;
    Object.assign(this.exit, { target: 2, ec: 0, esr: 0, ipa: 0, permission: false, write: false }, rest);
    this.exit.ec = this.exit.esr >>> 26;
    const { view } = this.cpu.memory;
    view.setBigUint64(this.el2.esr, BigInt(this.exit.esr >>> 0), true);
    view.setBigUint64(this.el2.far, far, true);
    view.setBigUint64(this.el2.hpfar, hpfar, true);
    return RunExit.Sync;
  }
}

/** Arguments of a call of `takeException`. */
export interface TakenException {
  readonly esr: number;
  readonly far: bigint;
}

export class ScriptedContext implements CpuContext {
  readonly traps = { wfi: false, wfe: false, simd: false };
  readonly gprsOffset: number;
  readonly pcOffset: number;
  readonly exceptions: TakenException[] = [];
  pstate = 0x3c5;
  sp = 0n;
  stage2: Stage2;
  readonly #sysregs = new Map<number, bigint>();
  readonly #memory: LinearMemory;

  constructor(memory: LinearMemory, at: number, stage2: Stage2) {
    this.#memory = memory;
    this.gprsOffset = at;
    this.pcOffset = at + PC_AT;
    this.stage2 = stage2;
  }

  get pc(): bigint {
    return this.#memory.view.getBigUint64(this.pcOffset, true);
  }
  set pc(value: bigint) {
    this.#memory.view.setBigUint64(this.pcOffset, value, true);
  }

  x(n: number): bigint {
    return this.#memory.view.getBigUint64(this.gprsOffset + n * 8, true);
  }
  setX(n: number, value: bigint): void {
    this.#memory.view.setBigUint64(this.gprsOffset + n * 8, value, true);
  }
  advancePc(bytes: number): void {
    this.pc = BigInt.asUintN(64, this.pc + BigInt(bytes));
  }

  /** Every register exists except those of the PMU, so that a test can see the RMM keep these. */
  sysreg(encoding: number): bigint | undefined {
    return isPmu(encoding) ? undefined : (this.#sysregs.get(encoding) ?? 0n);
  }
  sysregOffset(): number {
    return -1;
  }
  setSysreg(encoding: number, value: bigint): boolean {
    if (isPmu(encoding)) return false;
    this.#sysregs.set(encoding, value);
    return true;
  }

  reset(stage2: Stage2): void {
    this.stage2 = stage2;
    this.pstate = 0x3c5;
    this.#sysregs.clear();
    this.#memory.u8.fill(0, this.gprsOffset, this.gprsOffset + 32 * 8);
  }

  takeException(esr: number, far: bigint): void {
    this.exceptions.push({ esr, far });
  }
}

function isPmu(encoding: number): boolean {
  return encoding >= 0xdce0 && encoding <= 0xdcf7;
}
