/** Milliseconds from the first try to the second; each later pause is twice as long, up to the longest. */
const FIRST = 250;
const LONGEST = 5000;

/**
 * Asks at once, and again and again until it is stopped: a shell comes up at some time and says nothing that could be
 * relied on. Not scaled by the slow factor: what is typed too early is lost, or waits in the terminal.
 *
 * @returns stops it; idempotent
 */
export function nudge(ask: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const next = (pause: number): void => {
    ask();
    timer = setTimeout(next, pause, Math.min(2 * pause, LONGEST));
  };
  next(FIRST);
  return () => clearTimeout(timer);
}
