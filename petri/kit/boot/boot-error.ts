import { PetriError } from '../../errors.ts';

/**
 * What ended a staged boot: a stage exceeded its deadline, a world printed that it crashed, the machine ended, or the
 * caller aborted the boot.
 */
export type BootFailureKind = 'deadline' | 'crash' | 'exited' | 'aborted';

export interface BootErrorOptions {
  readonly stage: string;
  readonly kind: BootFailureKind;
  /** Further lines of ours, below the message. */
  readonly details: readonly string[];
  readonly remedy?: string;
  /** The last lines of every console. */
  readonly transcriptTail: string;
  readonly cause?: unknown;
}

/** A boot that did not reach its last stage; its `code` is `boot-failed`. */
export class BootError extends PetriError {
  /** The stage that was waited for. */
  readonly stage: string;
  /** What ended the boot. */
  readonly kind: BootFailureKind;

  constructor(message: string, options: BootErrorOptions) {
    super(message, {
      code: 'boot-failed',
      step: 'boot',
      details: options.details,
      transcriptTail: options.transcriptTail,
      ...(options.remedy === undefined ? {} : { remedy: options.remedy }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.stage = options.stage;
    this.kind = options.kind;
  }
}
