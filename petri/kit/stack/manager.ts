import type { StackPlan } from './step.ts';

/** A source to use instead of that in the lock file. */
export interface SourceOverride {
  readonly name: string;
  readonly repository?: string;
  /** Branch, tag or full commit id. */
  readonly revision?: string;
}

/** The user's request. */
export interface StackRequest {
  /** Folder of the stack; absolute. */
  readonly root: string;
  /** Folder for resolving relative paths. */
  readonly cwd: string;
  readonly sources: readonly SourceOverride[];
  /** A lock file instead of the one of this package. */
  readonly lockFile?: string;
  readonly jobs?: number;
  /** shrinkwrap's runtime: null, docker, podman and so on. Only for stacks that are built with it. */
  readonly runtime?: string;
  /**
   * The user's files and programs, and the part of the stack to build: values of all `StackOption`s except `runtime`.
   */
  readonly given: Readonly<Record<string, string>>;
  /** Resolve branches to commits again. */
  readonly refresh: boolean;
  /** What to make again although nothing changed. */
  readonly rebuild: readonly RebuildTarget[];
  /** Only examine: no network access, nothing written. */
  readonly dryRun: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options of `petri cca install` and `update` that only some platforms have. */
export type StackOption = 'runtime' | 'shrinkwrap' | 'tmk-vmm' | 'qemu' | 'only' | 'bl33';

/** Parts that can be made again. */
export type RebuildTarget = 'plane0-linux' | 'rootfs' | 'tmk';

/** A stack that is ready to be examined or built. */
export interface PreparedStack {
  readonly plan: StackPlan;
  /** Steps to run even if they are done. */
  readonly force: ReadonlySet<string>;
  /** Where each source comes from, for `status`. */
  readonly sources: readonly StackSource[];
  /** Path and sha256 of the lock file that applies. */
  readonly lock: { readonly path: string; readonly digest: string };
}

export interface StackSource {
  readonly name: string;
  readonly repository: string;
  /** undefined before the ref is resolved. */
  readonly revision: string | undefined;
  readonly ref: string | undefined;
  /** Why to check it twice: a private fork, a branch that moves. */
  readonly caution: string | undefined;
}

/** How to build the stack of a backend; the registry's entry of a backend refers to it. */
export interface StackManager {
  /** Options that are supported; others are rejected. */
  readonly options: readonly StackOption[];
  /** The environment variable for its root folder. */
  readonly rootVariable: string;
  /** Its default root folder; absolute. */
  root(cwd: string, env: Readonly<Record<string, string | undefined>>): string;
  /**
   * Reads the lock, resolves open refs, and makes the plan.
   *
   * @throws PetriError `lock-file-invalid`, `invalid-option`, `tool-failed`
   */
  prepare(request: StackRequest): Promise<PreparedStack>;
  /** A description of what is installed; undefined if the stack is not complete. */
  installed(root: string): Readonly<Record<string, string>> | undefined;
  /**
   * Path of OpenVMM's simple_tmk in the stack; undefined if the stack has none.
   *
   * @throws PetriError `stack-missing`, `stack-invalid`
   */
  simpleTmk(root: string): string | undefined;
}
