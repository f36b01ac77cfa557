import { type Clock, RunExit, type Vcpu } from '../cpu/index.ts';

/** Instructions of a turn, if others are ready. */
const QUANTUM = 20_000;
/** What a jump of the clock to the next alarm counts, in instructions. */
const JUMP_COST = 64;

/**
 * `off`: not started, or stopped. `ready`: can run. `waiting`: in WFI or WFE. `suspended`: waits for an interrupt by
 * `VcpuScheduler.suspend`.
 */
type PowerState = 'off' | 'ready' | 'waiting' | 'suspended';

/** State of a `VcpuScheduler`: plain data. */
export interface SchedulerState {
  readonly states: readonly PowerState[];
  readonly current: number;
  /** Guest time at which the turn of the current vCPU ends; undefined between turns. */
  readonly turnEnd: number | undefined;
  readonly jumps: number;
}

export interface SchedulerOptions {
  /** Guest instructions of a turn. @default 20,000 */
  readonly quantum?: number;
  /**
   * Whether a run ends with `RunExit.Wait` whenever no vCPU can run, so that the caller decides when time passes
   * (`passTime`). @default false: time passes at once
   */
  readonly pauses?: boolean;
}

/**
 * Runs the vCPUs of a machine in turns on one thread, in the order of their list. A turn ends after a quantum of guest
 * instructions, by an alarm, or when the vCPU waits; so what guests see is the same in every run, whatever the budgets
 * of the runs are and whatever the host spends on them. When all vCPUs wait, the clock jumps to the next alarm.
 */
export class VcpuScheduler {
  /** Called when a vCPU that `suspend` stopped has an interrupt pending, before it runs on. */
  onWake: ((vcpu: Vcpu) => void) | undefined;
  readonly #clock: Clock;
  readonly #vcpus: readonly Vcpu[];
  readonly #quantum: number;
  readonly #pauses: boolean;
  readonly #states: PowerState[];
  #current: number;
  #turnEnd: ReturnType<Clock['setAlarm']> | undefined;
  /** Whether the turn is over. */
  #over = true;
  #jumps = 0;

  /** @param vcpus all of one machine, all off */
  constructor(clock: Clock, vcpus: readonly Vcpu[], { quantum = QUANTUM, pauses = false }: SchedulerOptions = {}) {
    this.#clock = clock;
    this.#vcpus = vcpus;
    this.#quantum = quantum;
    this.#pauses = pauses;
    // The first turn is of the first.
    this.#current = vcpus.length - 1;
    this.#states = vcpus.map(() => 'off');
  }

  /** The vCPU that ran last: the one that an exit is of. */
  get current(): Vcpu {
    return this.#at(this.#current);
  }

  /** Whether no vCPU is on. */
  get allOff(): boolean {
    return this.#states.every((state) => state === 'off');
  }

  /** Whether no vCPU can run before a device raises an interrupt that no alarm leads to. */
  get idle(): boolean {
    const blocked = this.#states.every((state, index) => state === 'off' || (state !== 'ready' && !this.#wakes(index)));
    return blocked && this.nextWake === Infinity;
  }

  isOn(vcpu: Vcpu): boolean {
    return this.#stateOf(vcpu) !== 'off';
  }

  /** Lets a vCPU run from its PC on; ends its wait if it waits. */
  start(vcpu: Vcpu): void {
    this.#set(vcpu, 'ready');
  }

  /** Ends the wait of a vCPU as an interrupt would; does nothing if it is off or does not wait. */
  wake(vcpu: Vcpu): void {
    const index = this.#vcpus.indexOf(vcpu);
    const state = this.#states[index];
    if (state === 'waiting' || state === 'suspended') this.#resume(index, state);
  }

  /** Lets a vCPU run no more. */
  stop(vcpu: Vcpu): void {
    this.#set(vcpu, 'off');
  }

  /** Lets a vCPU wait for an interrupt, whatever PSTATE masks; then `onWake` is called. */
  suspend(vcpu: Vcpu): void {
    this.#set(vcpu, 'suspended');
  }

  /**
   * Runs about `budget` instructions, counted as in `effort`.
   *
   * @returns `RunExit.Wait` if the machine is idle, or as `pauses` says; after `Sync` see `current`, which runs on next
   */
  run(budget: number): RunExit {
    const until = this.effort + budget;
    for (;;) {
      const left = until - this.effort;
      if (left <= 0) return RunExit.Budget;
      if (!this.#beginTurn()) {
        if (this.#pauses || !this.passTime()) return RunExit.Wait;
        continue;
      }
      const exit = this.current.run(left);
      if (exit === RunExit.Wait) {
        this.#states[this.#current] = 'waiting';
        this.#endTurn();
      } else if (exit !== RunExit.Budget || !this.#over) {
        return exit;
      }
    }
  }

  /** Advances to what happens next while all vCPUs wait. @returns false if nothing will */
  passTime(): boolean {
    const next = this.nextWake;
    if (next === Infinity) return false;
    this.#clock.jumpTo(next);
    this.#clock.ring();
    this.#jumps += 1;
    return true;
  }

  /** Guest time of the next alarm or end of a wait; Infinity if there is none, or no vCPU that it could wake. */
  get nextWake(): number {
    if (this.allOff) return Infinity;
    const ends = this.#vcpus.map(({ waitsUntil }, index) =>
      this.#states[index] === 'waiting' ? waitsUntil : Infinity,
    );
    return Math.min(this.#clock.next, ...ends);
  }

  /** Sums over all vCPUs; see `Vcpu`. */
  get retired(): number {
    return this.#vcpus.reduce((sum, { retired }) => sum + retired, 0);
  }
  get work(): number {
    return this.#vcpus.reduce((sum, { work }) => sum + work, this.#jumps * JUMP_COST);
  }
  get effort(): number {
    return this.#vcpus.reduce((sum, { effort }) => sum + effort, this.#jumps * JUMP_COST);
  }

  save(): SchedulerState {
    return {
      states: [...this.#states],
      current: this.#current,
      turnEnd: this.#over ? undefined : (this.#turnEnd?.at ?? Infinity),
      jumps: this.#jumps,
    };
  }

  /** To be called after the clock and the vCPUs were restored. @param state of a machine with as many vCPUs */
  restore({ states, current, turnEnd, jumps }: SchedulerState): void {
    this.#endTurn();
    states.forEach((state, index) => (this.#states[index] = state));
    this.#current = current;
    this.#jumps = jumps;
    if (turnEnd !== undefined) this.#setTurn(turnEnd);
  }

  /** Goes on with the current turn, or begins that of the next vCPU that can run. @returns false if none can */
  #beginTurn(): boolean {
    if (!this.#over && this.#states[this.#current] === 'ready') return true;
    this.#endTurn();
    for (let n = 1; n <= this.#vcpus.length; n += 1) {
      const index = (this.#current + n) % this.#vcpus.length;
      if (!this.#wake(index)) continue;
      this.#current = index;
      this.#setTurn(this.#vcpus.length === 1 ? Infinity : this.#clock.now + this.#quantum);
      return true;
    }
    return false;
  }

  #setTurn(end: number): void {
    this.#over = false;
    if (end === Infinity) return;
    this.#turnEnd = this.#clock.setAlarm(end, () => {
      this.#over = true;
      this.current.preempt();
    });
  }

  #endTurn(): void {
    this.#over = true;
    if (this.#turnEnd !== undefined) this.#clock.cancel(this.#turnEnd);
    this.#turnEnd = undefined;
  }

  /** Whether a vCPU can run, after its wait has ended if it has. */
  #wake(index: number): boolean {
    const state = this.#states[index];
    if (state === 'ready') return true;
    if (!this.#wakes(index)) return false;
    this.#resume(index, state);
    return true;
  }

  #resume(index: number, state: PowerState | undefined): void {
    this.#states[index] = 'ready';
    if (state === 'suspended') this.onWake?.(this.#at(index));
  }

  #wakes(index: number): boolean {
    const state = this.#states[index];
    if (state === 'waiting') return this.#at(index).awake;
    return state === 'suspended' && this.#at(index).interruptPending;
  }

  #set(vcpu: Vcpu, state: PowerState): void {
    const index = this.#vcpus.indexOf(vcpu);
    if (index < 0) throw new RangeError('the vCPU belongs to another machine');
    this.#states[index] = state;
  }

  #stateOf(vcpu: Vcpu): PowerState {
    return this.#states[this.#vcpus.indexOf(vcpu)] ?? 'off';
  }

  #at(index: number): Vcpu {
    const vcpu = this.#vcpus[index];
    if (vcpu === undefined) throw new RangeError('the machine has no such vCPU');
    return vcpu;
  }
}
