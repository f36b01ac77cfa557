/** Milliseconds from the first try to the second; each later pause is twice as long, up to the longest. */
const FIRST = 250;
const LONGEST = 5000;

/**
 * Asks at once and repeatedly until it is stopped: a shell starts at an unknown time, and prints nothing reliable. Not
 * scaled by the slow factor: input that is typed too early is lost or stays in the terminal's buffer.
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
