import { harmlessLine, harmlessMessage, harmlessText, quotedLines } from './text/index.ts';

/**
 * Where a failure happened, in the order in which a test goes through them.
 *
 * `options` is what the user typed, `payload` the files to boot, `probe` asking the host what it can do, `launch`
 * making the VM, `boot` starting it, `run` everything after its first instruction, `teardown` taking it away; `install`
 * making what a backend needs, before any test.
 */
export type PetriStep =
  'options' | 'config' | 'artifact' | 'payload' | 'probe' | 'launch' | 'boot' | 'run' | 'teardown' | 'install';

/** What went wrong, as a stable name that code may compare. Messages are for people and may change. */
export type PetriErrorCode =
  | 'unknown-backend'
  | 'unknown-isolation'
  | 'backend-unavailable'
  | 'unsupported'
  | 'invalid-config'
  | 'invalid-option'
  | 'artifact-missing'
  | 'artifact-digest'
  | 'elf-invalid'
  | 'elf-unsupported'
  | 'tmk-invalid'
  | 'tmk-test-unknown'
  | 'tmk-test-ambiguous'
  | 'payload-too-large'
  | 'tool-missing'
  | 'tool-failed'
  | 'spawn-failed'
  | 'teardown-failed'
  | 'state-directory'
  | 'folder-unusable'
  | 'interrupted'
  | 'image-invalid'
  | 'image-full'
  | 'connection-failed'
  | 'wait-timeout'
  | 'console-closed'
  | 'console-incomplete'
  | 'pattern-too-expensive'
  | 'vm-halted'
  | 'vm-closed'
  | 'unexpected-halt'
  | 'not-awaited'
  | 'boot-failed'
  | 'rmi-failed'
  | 'stack-missing'
  | 'stack-invalid'
  | 'stack-busy'
  | 'lock-file-invalid'
  | 'hosts-file-invalid'
  | 'host-key-refused'
  | 'key-exchange-failed'
  | 'authentication-failed'
  | 'shell-unusable'
  | 'upload-failed'
  | 'launch-failed'
  | 'lease-lost'
  | 'power-failed'
  | 'backend-fault';

/** What a `PetriError` says beside its message. */
export interface PetriErrorOptions {
  /** What went wrong. */
  readonly code: PetriErrorCode;
  /** Where it went wrong. */
  readonly step: PetriStep;
  /** Lines of ours below the message. */
  readonly details?: readonly string[];
  /** What the user can do about it, as a sentence. Omit only where nothing can be done. */
  readonly remedy?: string;
  /** The last lines of serial output, when there was a console. */
  readonly transcriptTail?: string;
  /** The error that led to this one, as `Error` has it. */
  readonly cause?: unknown;
}

/**
 * The one error class of the framework. Everything it throws at a user is one of these.
 *
 * Words of guests, tools and remote machines may be in any part: the message is harmless to print (`petri/text`), and
 * only `details` and the remedy make lines of ours. A line end in any other part begins a quoted line.
 */
export class PetriError extends Error {
  /** Tells it from other errors where `instanceof` does not: each loader of a process has a class of its own. */
  override readonly name = 'PetriError';
  /** What went wrong: for code to compare. */
  readonly code: PetriErrorCode;
  /** Where it went wrong. */
  readonly step: PetriStep;
  /** What the user can do about it. It is also in the message. */
  readonly remedy: string | undefined;
  /** The last lines of serial output, when there was a console. They are also in the message. */
  readonly transcriptTail: string | undefined;

  constructor(message: string, options: PetriErrorOptions) {
    super(compose(message, options), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.step = options.step;
    this.remedy = options.remedy === undefined ? undefined : harmlessLine(options.remedy);
    this.transcriptTail = options.transcriptTail === undefined ? undefined : harmlessText(options.transcriptTail);
  }
}

function compose(message: string, { details = [], remedy, transcriptTail }: PetriErrorOptions): string {
  return [
    harmlessMessage(message),
    ...details.map((line) => `  ${harmlessLine(line)}`),
    ...(remedy === undefined ? [] : [`  remedy: ${harmlessLine(remedy)}`]),
    ...(transcriptTail === undefined || transcriptTail === ''
      ? []
      : ['  last serial output:', quotedLines(transcriptTail, '    ')]),
  ].join('\n');
}
