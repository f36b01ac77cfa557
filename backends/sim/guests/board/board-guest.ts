import { accessSummary, hasValidSyndrome } from '../../../../petri/kit/arm/index.ts';
import { checkVcpu, type HaltReason, type Registers } from '../../../../petri/contract/index.ts';
import { BoundedLog } from '../../../../petri/text/index.ts';
import { type Alarm, ExceptionClass, RunExit, type Vcpu } from '../../cpu/index.ts';
import { Firmware, type MachineMap, serveDevice, serveInstruction, VcpuScheduler } from '../../machine/index.ts';
import type { Guest, GuestDebug } from '../guest.ts';
import { readRegisters } from '../read-registers.ts';
import { Board, type BoardListener, type BoardSize, type Port } from './board.ts';
import type { BootState } from './boot-state.ts';
import type { GuestState, Input } from './guest-state.ts';
import { parkedBoards } from './parked-boards.ts';

/** Guest time in nanoseconds between two points at which input arrives, while the guest does not wait for anything. */
const INPUT_PERIOD = 1_000_000;
const EXITS_PER_QUESTION = 32;
const CALL_IMMEDIATE = 0xffff;

/**
 * A machine on which an operating system or firmware runs. What is written to its ports waits until a point that is the
 * same in every run: when no PE has anything to do, or at the next multiple of a millisecond of guest time. The run
 * ends there, so that whoever answers what the guest has printed is in time.
 */
export class BoardGuest implements Guest {
  /** Called when input comes. */
  onInput: (() => void) | undefined;
  readonly planes = [];
  readonly events = [];
  readonly #board: Board;
  readonly #scheduler: VcpuScheduler;
  readonly #firmware: Firmware;
  #inputAlarm: Alarm | undefined;
  #input: Input[] = [];
  /** Whether the run has ended at a point where input arrives. */
  #listens = false;
  /** Whether no PE has anything to do. */
  #idle = false;
  #final: { readonly registers: readonly Registers[]; readonly retired: number; readonly work: number } | undefined;

  private constructor(board: Board, listener: BoardListener) {
    this.#board = board;
    const { cpu } = this.#board.machine;
    const undefinedInstructions = new BoundedLog('undefined instructions', listener.log);
    cpu.onUndefined = (word, pc) => {
      undefinedInstructions.add(
        `undefined instruction 0x${word.toString(16).padStart(8, '0')} at 0x${pc.toString(16)}`,
      );
    };
    this.#scheduler = new VcpuScheduler(cpu.clock, this.#board.vcpus, { pauses: true });
    this.#board.isOn = (vcpu) => this.#scheduler.isOn(vcpu);
    const { vcpus, stage2 } = this.#board;
    this.#firmware = new Firmware({
      vcpus,
      scheduler: this.#scheduler,
      isEntry: (address) => stage2.place(Number(address), 4) >= 0,
      boot: (vcpu, entry, context) => {
        vcpu.reset(stage2);
        setEntry(vcpu, entry, [context]);
      },
    });
  }

  /** A machine that leaves reset. */
  static boot(map: MachineMap, size: BoardSize, { loads, entry, x }: BootState, listener: BoardListener): BoardGuest {
    const guest = new BoardGuest(new Board(map, size, listener), listener);
    const board = guest.#board;
    for (const load of loads) board.load(load);
    const [first] = board.vcpus;
    if (first === undefined) throw new RangeError('a board has a PE');
    setEntry(first, BigInt(entry), x.map(BigInt));
    guest.#scheduler.start(first);
    guest.#setInputAlarm(guest.#nextInput);
    return guest;
  }

  /** A machine that goes on from a state. @param state of a machine of the same map and size */
  static resume(map: MachineMap, size: BoardSize, state: GuestState, listener: BoardListener): BoardGuest {
    const guest = new BoardGuest(parkedBoards.take(map, size, state.memory, listener), listener);
    guest.#restore(state);
    return guest;
  }

  /**
   * The state, at a point at which input arrives. What is cached of translations is lost, as on each machine that goes
   * on from it: so they go the same way.
   */
  save(): GuestState {
    if (!this.#listens) throw new RangeError('a guest is saved where it listens');
    const state: GuestState = {
      memory: this.#board.saveMemory(),
      machine: {
        board: this.#board.save(),
        firmware: structuredClone(this.#firmware.save()),
        scheduler: this.#scheduler.save(),
        input: this.#input.map(({ port, bytes }) => ({ port, bytes: bytes.slice() })),
        idle: this.#idle,
        inputAt: this.#idle ? undefined : this.#inputAlarm?.at,
        retired: this.retired,
        work: this.work,
      },
    };
    this.#restore(state);
    return state;
  }

  #restore({ memory, machine }: GuestState): void {
    const { board, firmware, scheduler, input, idle, inputAt } = machine;
    this.#board.restore(memory, board, () => {
      this.#firmware.restore(firmware);
      this.#scheduler.restore(scheduler);
    });
    this.#listens = true;
    this.#idle = idle;
    this.#input = [...input];
    if (inputAt !== undefined) this.#setInputAlarm(inputAt);
  }

  /** There is one thing to boot, which was loaded when the machine was made. */
  boot(): void {
    return undefined;
  }

  /** Input for a port, which arrives at the next point for it. @param bytes not to be changed afterwards */
  input(port: Port, bytes: Uint8Array): void {
    this.#input.push({ port, bytes });
    this.onInput?.();
  }

  /** Addresses of what runs on it are those of its files. */
  get debug(): GuestDebug {
    const { machine, vcpus } = this.#board;
    return {
      cpu: machine.cpu,
      loadOffset: 0,
      vcpus: vcpus.map((vcpu) => ({ vcpu, context: vcpu.active })),
    };
  }

  get listens(): boolean {
    return this.#listens;
  }

  get sleeps(): number | undefined {
    if (!this.#idle || this.#input.length > 0) return undefined;
    return Math.max(0, this.#scheduler.nextWake - this.#board.machine.cpu.clock.now);
  }

  get retired(): number {
    return this.#final?.retired ?? this.#scheduler.retired;
  }

  get work(): number {
    return this.#final?.work ?? this.#scheduler.work;
  }

  registers(vcpu = 0): Registers {
    checkVcpu(vcpu, this.#board.vcpus.length);
    const context = this.#board.vcpus[vcpu]?.active;
    const registers = this.#final?.registers[vcpu] ?? (context && readRegisters(context));
    if (registers === undefined) throw new RangeError(`the board has no PE ${vcpu}`);
    return registers;
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
      this.#setInputAlarm(this.#nextInput);
    }
    const halt = this.#run(budget, outstayed);
    this.#board.flush();
    return halt;
  }

  release(): void {
    if (this.#final !== undefined) return;
    const registers = this.#board.vcpus.map((_, vcpu) => this.registers(vcpu));
    this.#final = { registers, retired: this.retired, work: this.work };
    parkedBoards.release(this.#board);
  }

  #run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    const until = this.#scheduler.effort + budget;
    for (let exits = 1; !this.#listens; exits++) {
      const left = until - this.#scheduler.effort;
      if (left <= 0) return undefined;
      const exit = this.#scheduler.run(left);
      if (exit === RunExit.Budget && this.#board.machine.cpu.held) return undefined;
      const halt = exit === RunExit.Budget ? undefined : this.#haltOf(exit);
      if (this.#board.ended !== undefined) return { reason: this.#board.ended };
      if (halt !== undefined) return halt;
      if (exits % EXITS_PER_QUESTION === 0 && outstayed()) return undefined;
    }
    return undefined;
  }

  #deliver(): void {
    for (const { port, bytes } of this.#input) this.#board.receive(port, bytes);
    this.#input = [];
  }

  /** Guest time of the next point at which input arrives. */
  get #nextInput(): number {
    return Math.floor(this.#board.machine.cpu.clock.now / INPUT_PERIOD + 1) * INPUT_PERIOD;
  }

  #setInputAlarm(at: number): void {
    this.#inputAlarm = this.#board.machine.cpu.clock.setAlarm(at, () => {
      this.#listens = true;
      this.#scheduler.current.preempt();
      this.#setInputAlarm(this.#nextInput);
    });
  }

  #haltOf(exit: RunExit): HaltReason | undefined {
    if (exit === RunExit.Sync) return this.#serve();
    // The next point for input would wake the machine a thousand times a second.
    if (this.#inputAlarm !== undefined) this.#board.machine.cpu.clock.cancel(this.#inputAlarm);
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
        return this.#serveCall(0);
      case ExceptionClass.Smc64:
        return this.#serveCall(4);
      default:
        return this.#unserved();
    }
  }

  #serveDataAbort(): HaltReason | undefined {
    const { exit, active, simdOffset } = this.#scheduler.current;
    const { bus } = this.#board;
    const { linear } = this.#board.machine;
    if (hasValidSyndrome(exit.esr)) serveDevice(bus, linear.u32, active.gprsOffset >>> 2, exit.esr, exit.ipa);
    else if (!serveInstruction(bus, active, linear.u8, simdOffset, exit.instruction, exit.ipa)) return this.#unserved();
    active.advancePc(4);
    return undefined;
  }

  /** Serves a call by HVC #0 or SMC #0 (SMCCC). @param length of the instruction if the PC is still at it */
  #serveCall(length: 0 | 4): HaltReason | undefined {
    const { current } = this.#scheduler;
    if ((current.exit.esr & CALL_IMMEDIATE) !== 0) return this.#unserved();
    if (length !== 0) current.active.advancePc(length);
    const event = this.#firmware.call(current);
    return event === undefined ? undefined : { reason: event.kind };
  }

  #unserved(): HaltReason {
    const { esr, ipa } = this.#scheduler.current.exit;
    return this.#fault(`${accessSummary(esr, BigInt(ipa))}: the board cannot do that`);
  }

  #fault(what: string): HaltReason {
    const registers = this.registers(this.#board.vcpus.indexOf(this.#scheduler.current));
    return { reason: 'fault', message: `${what}; it was at 0x${registers.pc.toString(16)}`, registers };
  }
}

function setEntry({ active }: Vcpu, entry: bigint, x: readonly bigint[]): void {
  active.pc = entry;
  x.forEach((value, n) => active.setX(n, value));
}
