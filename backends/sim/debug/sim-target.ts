import type { HaltReason } from '../../../petri/contract/index.ts';
import type { GdbEvents, GdbResume, GdbStop, GdbTarget, WatchKind } from '../../../petri/kit/gdb/index.ts';
import { Watched, type Watchpoint } from '../cpu/index.ts';
import type { GuestVcpu } from '../guests/index.ts';
import { endedWell, type DebuggedGuest, type Observer, type Onward, type Stand } from './debugged-guest.ts';
import { readMemory, writeMemory } from './guest-memory.ts';
import { monitorCommand } from './monitor-commands.ts';
import { features, readRegister, writeRegister } from './registers.ts';

/** More serve nobody, and each costs. */
const MAX_BREAKPOINTS = 1024;
const MAX_WATCHPOINTS = 64;
const MAX_WATCHED_BYTES = 65_536;

const CHANGED = 'You have changed registers or memory: the guest cannot be run again to where it was.\n';
const NO_WAY_BACK = 'There is no way back in time for a guest on a board: what came in from outside is not recorded.\n';

const watched: Readonly<Record<WatchKind, number>> = {
  write: Watched.Write,
  read: Watched.Read,
  access: Watched.Any,
};

/** A guest of the simulator as the GDB remote protocol sees it. */
export class SimTarget implements GdbTarget, Observer {
  readonly architecture = 'aarch64';
  readonly features = features;
  physicalMemory = false;
  readonly #guest: DebuggedGuest;
  readonly #kill: () => void;
  #events: GdbEvents | undefined;
  /** Resolves a `reset` that is on its way. */
  #reset: ((said: string) => void) | undefined;

  /** @param kill ends the VM */
  constructor(guest: DebuggedGuest, kill: () => void) {
    this.#guest = guest;
    this.#kill = kill;
  }

  get loadOffset(): bigint {
    return BigInt(this.#guest.debug.loadOffset);
  }

  get threads(): readonly number[] {
    const { vcpus } = this.#guest.debug;
    return vcpus.length === 0 ? [1] : vcpus.map((_, index) => index + 1);
  }

  threadName(thread: number): string {
    return `vCPU ${thread - 1}`;
  }

  attach(events: GdbEvents): void {
    this.#events = events;
    this.#guest.observer = this;
    const { stand } = this.#guest;
    if (stand === undefined) this.#guest.hold();
    else this.stands(stand);
  }

  stands(stand: Stand): void {
    const reset = this.#reset;
    this.#reset = undefined;
    if (reset === undefined) this.#events?.stopped(stopOf(stand));
    else reset('the guest is at its first instruction\n');
  }

  /** The guest has halted. */
  halted(halt: HaltReason): void {
    this.#reset?.('the guest has ended\n');
    this.#events?.ended(endedWell(halt) ? 0 : 1);
    this.#events = undefined;
  }

  readRegister(thread: number, number: number): Uint8Array | undefined {
    const where = this.#at(thread);
    return where && readRegister(this.#guest.debug, where, number);
  }

  writeRegister(thread: number, number: number, value: Uint8Array): boolean {
    const where = this.#at(thread);
    if (where === undefined) return false;
    const before = readRegister(this.#guest.debug, where, number);
    if (before !== undefined && Buffer.compare(before, value) === 0) return true;
    this.#guest.noteChange();
    return writeRegister(this.#guest.debug, where, number, value);
  }

  readMemory(thread: number, address: bigint, bytes: number): Uint8Array {
    const where = this.#at(thread);
    return where === undefined ? new Uint8Array(0) : readMemory(this.#guest.debug, where, this.#space, address, bytes);
  }

  writeMemory(thread: number, address: bigint, data: Uint8Array): boolean {
    const where = this.#at(thread);
    if (where === undefined) return false;
    this.#guest.noteChange();
    return writeMemory(this.#guest.debug, where, this.#space, address, data);
  }

  insertBreakpoint(address: bigint): boolean {
    if (this.#guest.breakpoints.size >= MAX_BREAKPOINTS || (address & 3n) !== 0n) return false;
    this.#guest.setBreakpoint(canonical(address), 1);
    return true;
  }

  removeBreakpoint(address: bigint): void {
    this.#guest.setBreakpoint(canonical(address), -1);
  }

  insertWatchpoint(kind: WatchKind, address: bigint, bytes: number): boolean {
    if (this.#guest.watchpoints.length >= MAX_WATCHPOINTS || bytes > MAX_WATCHED_BYTES) return false;
    this.#guest.addWatchpoint(watchpoint(kind, address, bytes));
    return true;
  }

  removeWatchpoint(kind: WatchKind, address: bigint, bytes: number): void {
    this.#guest.removeWatchpoint(watchpoint(kind, address, bytes));
  }

  resume(how: GdbResume): void {
    const { kind } = how;
    const { changed, reversible } = this.#guest;
    if ((kind === 'reverse-continue' || kind === 'reverse-step') && (changed || !reversible)) {
      this.#events?.say(changed ? CHANGED : NO_WAY_BACK);
      const { stand } = this.#guest;
      if (stand !== undefined) this.#events?.stopped(stopOf(stand));
      return;
    }
    this.#guest.go(kind satisfies Onward, how.kind === 'step' ? how.thread - 1 : undefined);
  }

  interrupt(): void {
    this.#guest.interrupt();
  }

  detach(): void {
    this.#events = undefined;
    this.#reset?.('');
    this.#reset = undefined;
    this.#guest.detach();
  }

  kill(): void {
    this.#events = undefined;
    this.#kill();
  }

  monitor(command: string): string | Promise<string> {
    return monitorCommand(command, this.#guest, 1, this);
  }

  /** Goes back to the first instruction. */
  reset(): Promise<string> {
    return new Promise((resolve) => {
      if (!this.#guest.reversible) {
        resolve(NO_WAY_BACK);
        return;
      }
      if (this.#guest.stand === undefined || this.#reset !== undefined) {
        resolve('the guest is on its way\n');
        return;
      }
      this.#reset = resolve;
      this.#guest.go('restart');
    });
  }

  get #space(): 'physical' | 'virtual' {
    return this.physicalMemory ? 'physical' : 'virtual';
  }

  #at(thread: number): GuestVcpu | undefined {
    return this.#guest.debug.vcpus[thread - 1];
  }
}

function canonical(address: bigint): number {
  return Number(BigInt.asIntN(64, address));
}

function watchpoint(kind: WatchKind, address: bigint, bytes: number): Watchpoint {
  return { address: canonical(address), bytes, access: watched[kind] };
}

function stopOf(stand: Stand): GdbStop {
  const thread = stand.vcpu + 1;
  switch (stand.kind) {
    case 'watchpoint': {
      const { access } = stand.watchpoint;
      const watch = access === Watched.Write ? 'write' : access === Watched.Read ? 'read' : 'access';
      return { kind: 'watchpoint', thread, watch, address: BigInt.asUintN(64, BigInt(stand.address)) };
    }
    case 'begin':
      return { kind: 'history', thread, end: 'begin' };
    default:
      return { kind: stand.kind, thread };
  }
}
