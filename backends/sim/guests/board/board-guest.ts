import { accessSummary, hasValidSyndrome } from '../../../../petri/kit/arm/index.ts';
import { checkVcpu, type HaltReason, type Registers } from '../../../../petri/contract/index.ts';
import { BoundedLog } from '../../../../petri/text/index.ts';
import { ExceptionClass, RunExit, type Vcpu } from '../../cpu/index.ts';
import { type MachineMap, serveDevice, VcpuScheduler } from '../../machine/index.ts';
import type { Guest } from '../guest.ts';
import { readRegisters } from '../read-registers.ts';
import { Board, type BoardListener, type BoardSize, type Port } from './board.ts';
import type { BootState } from './boot-state.ts';

/** Guest time in nanoseconds between two points at which input arrives, while the guest does not wait for anything. */
const INPUT_PERIOD = 1_000_000;
const EXITS_PER_QUESTION = 32;

/**
 * A machine on which an operating system or firmware runs. What is written to its ports waits until a point that is the
 * same in every run: when no PE has anything to do, or at the next multiple of a millisecond of guest time. The run ends
 * there, so that whoever answers what the guest has printed is in time.
 */
export class BoardGuest implements Guest {
  readonly planes = [];
  readonly events = [];
  readonly #board: Board;
  readonly #scheduler: VcpuScheduler;
  readonly #input: { readonly port: Port; readonly bytes: Uint8Array }[] = [];
  /** Whether the run has ended at a point where input arrives. */
  #listens = false;
  /** Whether no PE has anything to do. */
  #idle = false;
  #final: { readonly registers: readonly Registers[]; readonly retired: number; readonly work: number } | undefined;

  constructor(map: MachineMap, size: BoardSize, boot: BootState, listener: BoardListener) {
    this.#board = new Board(map, size, listener);
    const { cpu } = this.#board.machine;
    const undefinedInstructions = new BoundedLog('undefined instructions', listener.log);
    cpu.onUndefined = (word, pc) => {
      undefinedInstructions.add(
        `undefined instruction 0x${word.toString(16).padStart(8, '0')} at 0x${pc.toString(16)}`,
      );
    };
    this.#scheduler = new VcpuScheduler(cpu.clock, this.#board.vcpus, { pauses: true });
    for (const load of boot.loads) this.#board.load(load);
    this.#start(this.#vcpu(0), boot.entry, boot.x);
    this.#setInputAlarm();
  }

  /** There is one thing to boot, which was loaded when the machine was made. */
  boot(): void {
    return undefined;
  }

  /** Input for a port, which arrives at the next point for it. @param bytes not to be changed afterwards */
  input(port: Port, bytes: Uint8Array): void {
    this.#input.push({ port, bytes });
  }

  get listens(): boolean {
    return this.#listens;
  }

  get retired(): number {
    return this.#final?.retired ?? this.#scheduler.retired;
  }

  get work(): number {
    return this.#final?.work ?? this.#scheduler.work;
  }

  registers(vcpu = 0): Registers {
    checkVcpu(vcpu, this.#board.vcpus.length);
    return this.#final?.registers[vcpu] ?? readRegisters(this.#vcpu(vcpu).active);
  }

  expired(reason: 'budget' | 'timeout', why: string): HaltReason {
    const registers = this.registers();
    return { reason, message: `${why}; it was at 0x${registers.pc.toString(16)}`, registers };
  }

  run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    if (this.#listens) {
      this.#listens = false;
      this.#deliver();
    }
    if (this.#idle) {
      this.#idle = false;
      this.#scheduler.passTime();
    }
    const halt = this.#run(budget, outstayed);
    this.#board.flush();
    return halt;
  }

  release(): void {
    if (this.#final !== undefined) return;
    const registers = this.#board.vcpus.map((_, vcpu) => this.registers(vcpu));
    this.#final = { registers, retired: this.retired, work: this.work };
    this.#board.release();
  }

  #run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    const until = this.#scheduler.effort + budget;
    for (let exits = 1; !this.#listens; exits++) {
      const left = until - this.#scheduler.effort;
      if (left <= 0) return undefined;
      const exit = this.#scheduler.run(left);
      const halt = exit === RunExit.Budget ? undefined : this.#haltOf(exit);
      if (halt !== undefined) return halt;
      if (exits % EXITS_PER_QUESTION === 0 && outstayed()) return undefined;
    }
    return undefined;
  }

  #deliver(): void {
    for (const { port, bytes } of this.#input) this.#board.receive(port, bytes);
    this.#input.length = 0;
  }

  #setInputAlarm(): void {
    const { clock } = this.#board.machine.cpu;
    clock.setAlarm(Math.floor(clock.now / INPUT_PERIOD + 1) * INPUT_PERIOD, () => {
      this.#listens = true;
      this.#scheduler.current.preempt();
      this.#setInputAlarm();
    });
  }

  #haltOf(exit: RunExit): HaltReason | undefined {
    if (exit === RunExit.Sync) return this.#serve();
    if (exit === RunExit.Unsupported) return this.#fault(this.#scheduler.current.unsupported);
    this.#listens = true;
    this.#idle = true;
    return undefined;
  }

  #serve(): HaltReason | undefined {
    const { exit } = this.#scheduler.current;
    switch (exit.ec) {
      case ExceptionClass.DataAbortLower:
        return this.#serveDataAbort();
      case ExceptionClass.Hvc64:
        return this.#servePsci();
      default:
        return this.#unserved();
    }
  }

  #serveDataAbort(): HaltReason | undefined {
    const { exit, active } = this.#scheduler.current;
    if (!hasValidSyndrome(exit.esr)) return this.#unserved();
    serveDevice(this.#board.bus, this.#board.machine.linear.u32, active.gprsOffset >>> 2, exit.esr, exit.ipa);
    active.advancePc(4);
    return undefined;
  }

  #servePsci(): HaltReason | undefined {
    const context = this.#scheduler.current.active;
    const id = Number(BigInt.asUintN(32, context.x(0)));
    if (id === 0x8400_0008) return { reason: 'power-off' };
    if (id === 0x8400_0009) return { reason: 'reset' };
    const results: Record<number, bigint> = { 0x8400_0000: 0x1_0001n, 0x8400_0006: 2n };
    context.setX(0, results[id] ?? 0xffff_ffff_ffff_ffffn);
    return undefined;
  }

  #unserved(): HaltReason {
    const { esr, ipa } = this.#scheduler.current.exit;
    return this.#fault(`${accessSummary(esr, BigInt(ipa))}: the board cannot do that`);
  }

  #vcpu(index: number): Vcpu {
    const vcpu = this.#board.vcpus[index];
    if (vcpu === undefined) throw new RangeError(`the board has no PE ${index}`);
    return vcpu;
  }

  #start(vcpu: Vcpu, entry: number, x: readonly number[]): void {
    const { active } = vcpu;
    active.pc = BigInt(entry);
    x.forEach((value, n) => active.setX(n, BigInt(value)));
    this.#scheduler.start(vcpu);
  }

  #fault(what: string): HaltReason {
    const registers = this.registers(this.#board.vcpus.indexOf(this.#scheduler.current));
    return { reason: 'fault', message: `${what}; it was at 0x${registers.pc.toString(16)}`, registers };
  }
}
