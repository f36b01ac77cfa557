import type { HaltReason, PlaneInspector, RealmInspector, Registers, TmkEvent } from '../../../petri/contract/index.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import type { DebugControl, DebugStop, Watchpoint } from '../cpu/index.ts';
import type { Guest, GuestDebug } from '../guests/index.ts';
import { Echo } from './echo.ts';
import { findBefore, goTo, type Life, type Points, type Travel } from './history.ts';
import { positionOf, type Position } from './position.ts';

/** Why a guest stands: what its processors say, or what its debugger asked for. */
export type Stand = DebugStop | { readonly kind: 'interrupt' | 'failure' | 'begin'; readonly vcpu: number };

/** What a guest can do next. */
export type Onward = 'continue' | 'step' | 'reverse-continue' | 'reverse-step' | 'restart';

/** Whoever has a guest under observation. */
export interface Observer {
  /** It stands still. */
  stands(stand: Stand): void;
}

/**
 * A guest that a debugger holds, lets go, and takes back in time: that is another life of it, run from its start to the
 * place, which is the same since runs are deterministic. To the outside it is one guest, whose words are heard once.
 */
export class DebuggedGuest implements Guest, Points {
  /** The debugger, while one is attached. */
  observer: Observer | undefined;
  /** Called when the guest may run after it stood. */
  wake: () => void = () => undefined;
  /** Whether it can be run again from its start. */
  readonly reversible: boolean;
  readonly #make: (listener: TmkListener) => Guest;
  readonly #echo: Echo;
  readonly #breakpoints = new Map<number, number>();
  readonly #watchpoints: Watchpoint[] = [];
  #life: Life;
  #testIndex = 0;
  /** Why it stands; undefined while it runs, or travels. */
  #stand: Stand | undefined;
  #travel: Travel | undefined;
  /** What the travel ends with. */
  #arrival: Stand | undefined;
  #interrupted = false;
  /** How the guest halts when it is continued. */
  #halt: HaltReason | undefined;
  #changed = false;
  #forgotten = false;

  /**
   * @param make makes the guest, once if it is not to be `reversible`
   * @throws PetriError as `make` does; RangeError for a kind of guest that cannot be debugged
   */
  constructor(make: (listener: TmkListener) => Guest, listener: TmkListener, reversible = true) {
    this.#make = make;
    this.reversible = reversible;
    this.#echo = new Echo(listener);
    this.#life = this.#begin();
  }

  boot(testIndex: number): void {
    this.#testIndex = testIndex;
    this.#life.guest.boot(testIndex);
  }

  get debug(): GuestDebug {
    return this.#life.debug;
  }
  get #control(): DebugControl {
    return this.#life.control;
  }
  get retired(): number {
    return this.#life.guest.retired;
  }
  get work(): number {
    return this.#life.guest.work;
  }
  get events(): readonly TmkEvent[] {
    return this.#life.guest.events;
  }
  get realm(): RealmInspector | undefined {
    return this.#life.guest.realm;
  }
  get planes(): readonly (PlaneInspector | undefined)[] {
    return this.#life.guest.planes;
  }
  get listens(): boolean {
    return this.#life.guest.listens === true;
  }
  get sleeps(): number | undefined {
    return this.#control.stop === undefined ? this.#life.guest.sleeps : undefined;
  }
  get standing(): boolean {
    return this.#stand !== undefined;
  }
  get stand(): Stand | undefined {
    return this.#stand;
  }
  /** Whether the debugger changed registers or memory: then the guest cannot be run again to the same place. */
  get changed(): boolean {
    return this.#changed;
  }
  get position(): Position {
    return positionOf(this.retired, this.debug);
  }

  registers(vcpu?: number): Registers {
    return this.#life.guest.registers(vcpu);
  }

  expired(reason: 'budget' | 'timeout', why: string): HaltReason {
    return this.#life.guest.expired(reason, why);
  }

  release(): void {
    this.forget();
    this.#life.guest.release();
  }

  run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    if (this.#stand !== undefined) return undefined;
    if (this.#travel !== undefined) {
      this.#advance(this.#travel, outstayed);
      return undefined;
    }
    if (this.#halt !== undefined) return this.#halt;
    if (this.#stopped()) return undefined;
    const halt = this.#life.guest.run(budget, outstayed);
    if (halt !== undefined) return this.#end(halt);
    this.#stopped();
    return undefined;
  }

  /** Stands if a processor does, or if all of them wait for something and it is to. @returns whether it does */
  #stopped(): boolean {
    const { standing, stop } = this.#control;
    if (stop === undefined || !(standing || this.#life.guest.sleeps !== undefined)) return false;
    this.#stands(this.#interrupted ? { kind: 'interrupt', vcpu: stop.vcpu } : stop);
    return true;
  }

  /** Has the machine forget its debugger, before it goes to somebody else. Idempotent. */
  forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    this.debug.cpu.detachDebugger();
  }

  /** Has it stand before its next instruction, as after a step. */
  hold(): void {
    if (this.#stand !== undefined || this.#travel !== undefined) return;
    this.#control.hold();
    this.wake();
  }

  /** The same, as it was asked to while it ran or travelled. */
  interrupt(): void {
    if (this.#stand !== undefined) return;
    this.#interrupted = true;
    this.#control.hold();
    this.wake();
  }

  /** Lets it go on from where it stands. @param vcpu the one to step; without it the one that stood */
  go(onward: Onward, vcpu = this.#stand?.vcpu): void {
    if (this.#stand === undefined) return;
    const past = onward !== 'continue' && onward !== 'step';
    if (past) this.#leave(onward);
    else if (this.#halt === undefined) this.#control.resume(onward === 'step' ? 1 : undefined, vcpu);
    this.#stand = undefined;
    this.wake();
  }

  /** Removes what the debugger had set, and lets the guest run. */
  detach(): void {
    this.observer = undefined;
    this.#breakpoints.clear();
    this.#watchpoints.length = 0;
    this.apply();
    this.#interrupted = false;
    if (this.#stand !== undefined) this.go('continue');
    else if (this.#travel === undefined) this.#control.resume();
  }

  noteChange(): void {
    this.#changed = true;
  }

  get breakpoints(): ReadonlySet<number> {
    return new Set(this.#breakpoints.keys());
  }

  /** Counts how often a breakpoint was set: several may be at one address. */
  setBreakpoint(address: number, by: 1 | -1): void {
    const count = (this.#breakpoints.get(address) ?? 0) + by;
    if (count > 0) this.#breakpoints.set(address, count);
    else this.#breakpoints.delete(address);
    this.#control.setBreakpoints(this.breakpoints);
  }

  get watchpoints(): readonly Watchpoint[] {
    return this.#watchpoints;
  }

  addWatchpoint(watchpoint: Watchpoint): void {
    this.#watchpoints.push(watchpoint);
    this.#control.setWatchpoints([...this.#watchpoints]);
  }

  removeWatchpoint({ address, bytes, access }: Watchpoint): void {
    const at = this.#watchpoints.findIndex(
      (one) => one.address === address && one.bytes === bytes && one.access === access,
    );
    if (at >= 0) this.#watchpoints.splice(at, 1);
    this.#control.setWatchpoints([...this.#watchpoints]);
  }

  apply(control = this.#control): void {
    control.setBreakpoints(this.breakpoints);
    control.setWatchpoints([...this.#watchpoints]);
  }

  #begin(): Life {
    this.#echo.again();
    const guest = this.#make(this.#echo);
    const first = guest.debug;
    if (first === undefined) throw new RangeError('a guest of this kind cannot be debugged');
    return {
      guest,
      control: first.cpu.attachDebugger(),
      // Asked anew each time: a payload may have no processor at first.
      get debug() {
        return guest.debug ?? first;
      },
    };
  }

  /** Another life, at its start. */
  #renew(): Life {
    this.#life.guest.release();
    this.#life = this.#begin();
    this.#life.guest.boot(this.#testIndex);
    return this.#life;
  }

  #stands(stand: Stand): void {
    this.#interrupted = false;
    this.#stand = stand;
    this.observer?.stands(stand);
  }

  /** A guest that failed stands once more before it halts, so that its debugger can look at it and go back. */
  #end(halt: HaltReason): HaltReason | undefined {
    if (endedWell(halt) || this.observer === undefined) return halt;
    this.#halt = halt;
    this.#stands({ kind: 'failure', vcpu: 0 });
    return undefined;
  }

  #leave(onward: 'reverse-continue' | 'reverse-step' | 'restart'): void {
    this.#halt = undefined;
    this.#interrupted = false;
    this.#travel = this.#journey(onward, this.position);
  }

  *#journey(onward: 'reverse-continue' | 'reverse-step' | 'restart', from: Position): Travel {
    const checkpoints = { before: () => this.#renew() };
    if (onward === 'restart') {
      this.#arrival = { kind: 'begin', vcpu: 0 };
      return yield* goTo(checkpoints, { retired: 0, pc: 0n });
    }
    const points = onward === 'reverse-continue' ? this : undefined;
    const { position, stop } = yield* findBefore(checkpoints, from, points);
    this.#arrival = stop ?? { kind: 'begin', vcpu: 0 };
    return yield* goTo(checkpoints, position);
  }

  #advance(travel: Travel, outstayed: () => boolean): void {
    do {
      if (this.#interrupted) {
        // It stays where it has come to.
        this.#travel = undefined;
        this.apply();
        this.#control.hold();
        return;
      }
      if (travel.next().done === true) {
        this.#travel = undefined;
        this.apply();
        this.#stands(this.#arrival ?? { kind: 'begin', vcpu: 0 });
        return;
      }
    } while (!outstayed());
  }
}

/** Whether a guest ended as it wanted to. */
export function endedWell(halt: HaltReason): boolean {
  return halt.reason === 'complete' ? halt.success : halt.reason === 'power-off' || halt.reason === 'reset';
}
