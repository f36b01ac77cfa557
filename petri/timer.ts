/** What a timer of Node's can hold, 24.8 days: one that is given more fires after a millisecond. */
const LONGEST = 2 ** 31 - 1;

/**
 * A time that a user gave, as `setTimeout` and Vitest take it.
 *
 * @param milliseconds not negative; `Infinity` and all that no timer can hold become the longest that one can
 */
export function timerDelay(milliseconds: number): number {
  return Math.min(milliseconds, LONGEST);
}

/** As `AbortSignal.timeout`, for a time that a user gave: it need be neither whole nor finite. */
export function timeoutSignal(milliseconds: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(timerDelay(milliseconds)));
}
