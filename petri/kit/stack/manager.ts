import type { StackPlan } from './step.ts';

/** Where a source is to be taken from instead of where the lock file says. */
export interface SourceOverride {
  readonly name: string;
  readonly repository?: string;
  /** Branch, tag or full commit id. */
  readonly revision?: string;
}

/** What the user asks for. */
export interface StackRequest {
  /** Folder of the stack; absolute. */
  readonly root: string;
  /** Folder that relative paths are relative to. */
  readonly cwd: string;
  readonly sources: readonly SourceOverride[];
  /** A lock file instead of the one of this package. */
  readonly lockFile?: string;
  readonly jobs?: number;
  /** How shrinkwrap runs things: null, docker, podman … Only of a stack that is built with it. */
  readonly runtime?: string;
  /**
   * Files and programs that the user has, and which part of the stack is wanted: values of `StackOption`s but
   * `runtime`.
   */
  readonly given: Readonly<Record<string, string>>;
  /** Ask again which commits branches have. */
  readonly refresh: boolean;
  /** What is to be made again although nothing changed. */
  readonly rebuild: readonly RebuildTarget[];
  /** Only look: no network, nothing written. */
  readonly dryRun: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options of `petri cca install` and `update` that only some platforms have. */
export type StackOption = 'runtime' | 'shrinkwrap' | 'tmk-vmm' | 'qemu' | 'only' | 'bl33';

/** What is to be made again. */
export type RebuildTarget = 'plane0-linux' | 'rootfs' | 'tmk';

/** A stack that is ready to be examined or built. */
export interface PreparedStack {
  readonly plan: StackPlan;
  /** Steps to run whatever their stamps say. */
  readonly force: ReadonlySet<string>;
  /** Where each source comes from, for `status`. */
  readonly sources: readonly StackSource[];
  /** Path of the lock file that holds, and its sha256. */
  readonly lock: { readonly path: string; readonly digest: string };
}

export interface StackSource {
  readonly name: string;
  readonly repository: string;
  /** undefined: not known before the ref is resolved. */
  readonly revision: string | undefined;
  readonly ref: string | undefined;
  /** Why one should look at it twice: a private fork, a branch that moves. */
  readonly caution: string | undefined;
}

/** How the stack of a backend is put together; a backend's entry in the registry leads to it. */
export interface StackManager {
  /** Those that mean something here; others are refused. */
  readonly options: readonly StackOption[];
  /** The variable that says where it is. */
  readonly rootVariable: string;
  /** Where it is unless the user says otherwise; absolute. */
  root(cwd: string, env: Readonly<Record<string, string | undefined>>): string;
  /**
   * Reads the lock, resolves what it leaves open, and plans. @throws PetriError `lock-file-invalid`, `invalid-
   * option`, `tool-failed`
   */
  prepare(request: StackRequest): Promise<PreparedStack>;
  /** What is installed, in words; undefined where nothing is whole. */
  installed(root: string): Readonly<Record<string, string>> | undefined;
  /**
   * Path of OpenVMM's simple_tmk in the stack; undefined where the stack has none. @throws PetriError `stack-
   * missing`, `stack-invalid`
   */
  simpleTmk(root: string): string | undefined;
}
