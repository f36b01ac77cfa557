/** The lines of a stack trace from the caller of a function on. */
export function callSite(below: (...parameters: never[]) => unknown): string {
  const holder = { stack: '' };
  Error.captureStackTrace(holder, below);
  return holder.stack.split('\n').slice(1).join('\n');
}

/** Makes an error point at a place. */
export function moveTo(site: string, error: Error): void {
  error.stack = `${error.name}: ${error.message}\n${site}`;
}

/** Makes an error point at where a test was registered, for a test that has no body of its own to point at. */
export async function blaming(site: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Error) moveTo(site, error);
    throw error;
  }
}
