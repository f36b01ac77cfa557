/** A register as a debugger sees it. */
export interface GdbRegister {
  readonly name: string;
  readonly bits: 32 | 64 | 128;
  /** A type of the target description, such as `int` or `data_ptr`; without it GDB chooses by size. */
  readonly type?: string;
  /** What `info registers` and others show it with. @default general registers */
  readonly group?: 'float' | 'system' | 'vector';
}

/** Registers that belong together: a feature of the target description (GDB manual, Standard Target Features). */
export interface GdbFeature {
  /** Such as `org.gnu.gdb.aarch64.core`. */
  readonly name: string;
  readonly registers: readonly GdbRegister[];
  /** Type definitions in XML, for types that are not predefined. */
  readonly types?: string;
}

export type WatchKind = 'write' | 'read' | 'access';

/** Why a guest stands still. */
export type GdbStop =
  | { readonly kind: 'step' | 'interrupt' | 'breakpoint'; readonly thread: number }
  | { readonly kind: 'watchpoint'; readonly thread: number; readonly watch: WatchKind; readonly address: bigint }
  /** Nothing is before this, or nothing after it. */
  | { readonly kind: 'history'; readonly thread: number; readonly end: 'begin' | 'end' }
  /** The guest failed, and halts when it is continued. */
  | { readonly kind: 'failure'; readonly thread: number };

/** What a guest is to do. */
export type GdbResume =
  | { readonly kind: 'continue' | 'reverse-continue' }
  | { readonly kind: 'step' | 'reverse-step'; readonly thread: number };

/** What a target reports of itself while a debugger is attached. */
export interface GdbEvents {
  /** The guest stands still, for the debugger or by itself. */
  stopped(stop: GdbStop): void;
  /** The guest has ended. @param code 0 if it ended well */
  ended(code: number): void;
  /** A text for whoever debugs. */
  say(text: string): void;
}

/**
 * A guest that can be debugged. Threads are vCPUs, numbered from 1. Nothing but `interrupt`, `detach` and `kill` is
 * asked while the guest runs. Everything comes from the debugger, who may ask for anything.
 */
export interface GdbTarget {
  /** `aarch64`. */
  readonly architecture: string;
  /** Registers are numbered through all features; those of the first are sent together. */
  readonly features: readonly GdbFeature[];
  /** What is added to addresses of the program as linked. */
  readonly loadOffset: bigint;
  /** At least one. */
  readonly threads: readonly number[];
  threadName(thread: number): string;
  /**
   * A debugger has come: the guest is to stop, which `events` reports.
   *
   * @param events until `detach` or `kill`
   */
  attach(events: GdbEvents): void;
  /** Little-endian, of the register's size; undefined if it cannot be read. */
  readRegister(thread: number, number: number): Uint8Array | undefined;
  /** @returns false if it cannot be written */
  writeRegister(thread: number, number: number, value: Uint8Array): boolean;
  /** The bytes from an address on: fewer where not all of them are there. */
  readMemory(thread: number, address: bigint, bytes: number): Uint8Array;
  /** @returns false if not all of it is there, and nothing was written */
  writeMemory(thread: number, address: bigint, data: Uint8Array): boolean;
  /** Whether addresses of memory are physical ones of the guest, instead of those of its current translation. */
  physicalMemory: boolean;
  /** @returns false if there is no room for another */
  insertBreakpoint(address: bigint): boolean;
  removeBreakpoint(address: bigint): void;
  /** @returns false if there is no room for another */
  insertWatchpoint(kind: WatchKind, address: bigint, bytes: number): boolean;
  removeWatchpoint(kind: WatchKind, address: bigint, bytes: number): void;
  resume(how: GdbResume): void;
  interrupt(): void;
  /** Removes breakpoints and watchpoints, and lets the guest run. */
  detach(): void;
  /** Ends the guest. */
  kill(): void;
  /** A command of the user's (`monitor`); never rejects. @returns what to show */
  monitor(command: string): string | Promise<string>;
}
