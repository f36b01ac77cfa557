/** Identifies a step's outputs: names with digests, commits or versions. The same evidence means the same outputs. */
export type Evidence = Readonly<Record<string, string>>;

/** A program to start, with its argument vector; never a shell command. */
export interface StackCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program with which it starts containers, which are ended together with it. */
  readonly container?: 'docker' | 'podman';
  /** Whether it may ask questions: its input is then empty. */
  readonly unattended?: boolean;
}

/** Available to a step while it runs. */
export interface StepContext {
  readonly signal: AbortSignal;
  /** The last run of the step was killed: outputs may be incomplete. */
  readonly interrupted: boolean;
  /** Runs a program to its end; its output goes to the step's log. @throws PetriError `tool-missing`, `tool-failed` */
  command(command: StackCommand): Promise<void>;
  /** A line for the step's log. */
  log(message: string): Promise<void>;
  /** A line for the step's log, and for the user. */
  note(message: string): Promise<void>;
}

/** One step of building a stack. */
export interface StackStep {
  /** Name of its stamp and log: letters, digits and hyphens. */
  readonly name: string;
  /** What it does, as a heading: 'Build Linux for plane 0'. */
  readonly title: string;
  /** Everything that determines its outputs: revisions, command lines, versions of tools, digests of files. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Earlier steps whose evidence is also an input. */
  readonly after?: readonly string[];
  /** The programs that `run` starts, for the plan. */
  readonly commands: readonly StackCommand[];
  /** Estimated time and space, such as '20 to 60 min, 12 GB'. */
  readonly expects?: string;
  /** Additional lines for the plan, such as what a check would report. */
  preview?(): Promise<readonly string[]>;
  /** Makes the outputs. Must cope with leftovers of an earlier attempt, and create finished files by renaming only. */
  run(context: StepContext): Promise<void>;
  /**
   * Examines the outputs. A step without it has none: it is a check, and runs each time.
   *
   * @throws Error if an output is missing or wrong
   */
  inspect?(): Promise<Evidence>;
}

/** A stack to be built below one folder. */
export interface StackPlan {
  /** Absolute. */
  readonly root: string;
  /** In order. */
  readonly steps: readonly StackStep[];
  /**
   * The file that marks the stack as complete: removed as soon as a step must run, written by the last one. Absolute.
   */
  readonly seal: string;
  /** Records the user's choices; called before the first step, with the folder locked. */
  begin?(): Promise<void>;
  /** Commands for the user to run, or decisions to be aware of; shown with the plan. */
  readonly notes: readonly string[];
}
