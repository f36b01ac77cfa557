/** What a step found that it made: names to digests, commits or versions. The same evidence means the same outputs. */
export type Evidence = Readonly<Record<string, string>>;

/** One program to start, as it will be started: an argument vector, never a shell line. */
export interface StackCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** It starts containers with this program, which are to be ended with it. */
  readonly container?: 'docker' | 'podman';
  /** It may ask questions, which nobody is there to answer: it finds the end of its input. */
  readonly unattended?: boolean;
}

/** What a step may use while it runs. */
export interface StepContext {
  readonly signal: AbortSignal;
  /** The step was killed when it last ran: what it had begun may be half made. */
  readonly interrupted: boolean;
  /** Runs a program to its end; its output goes to the step's log. @throws PetriError `tool-missing`, `tool-failed` */
  command(command: StackCommand): Promise<void>;
  /** A line for the step's log. */
  log(message: string): Promise<void>;
  /** A line for the step's log, and for whoever installs. */
  note(message: string): Promise<void>;
}

/** One step of building a stack. */
export interface StackStep {
  /** Names its stamp and its log: letters, digits and hyphens. */
  readonly name: string;
  /** What it does, as a heading: 'Build Linux for plane 0'. */
  readonly title: string;
  /** Everything that decides what it makes: revisions, command lines, versions of tools, digests of files. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Earlier steps whose evidence is an input as well. */
  readonly after?: readonly string[];
  /** The programs it will start, for the plan; `run` starts these. */
  readonly commands: readonly StackCommand[];
  /** What to expect of it, such as '20 to 60 min, 12 GB'. */
  readonly expects?: string;
  /** What the plan should say about it beyond its commands, such as what a check would complain about. */
  preview?(): Promise<readonly string[]>;
  /** Makes the outputs. Must cope with what an earlier try left, and leave finished files by renaming only. */
  run(context: StepContext): Promise<void>;
  /**
   * Looks at the outputs. Without it the step makes nothing: it is a check, and runs each time.
   *
   * @throws Error when an output is missing or wrong
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
   * The file that says the stack is whole: taken away as soon as a step must run, written by the last one. Absolute.
   */
  readonly seal: string;
  /** Records what the user chose; called when nobody else works in the folder, before the first step. */
  begin?(): Promise<void>;
  /** Commands that a person must give by hand, or decisions to know of; shown with the plan. */
  readonly notes: readonly string[];
}
