/** Where a function was called. It is noted at once and put into words when somebody asks, which costs far more. */
export class CallSite {
  readonly #trace = { stack: '' };

  /** @param below the function whose callers are meant */
  constructor(below: (...parameters: never[]) => unknown) {
    Error.captureStackTrace(this.#trace, below);
  }

  /** The lines of a stack trace from the caller on. */
  toString(): string {
    return this.#trace.stack.split('\n').slice(1).join('\n');
  }
}

/** Makes an error point at a place. */
export function moveTo(site: CallSite, error: Error): void {
  error.stack = `${error.name}: ${error.message}\n${site.toString()}`;
}

/** Makes an error point at where a test was registered, for a test that has no body of its own to point at. */
export async function blaming(site: CallSite, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) moveTo(site, error);
    throw error;
  }
}
