/**
 * Lets a budget run out soon: runs something with budgets that are short, and with longer ones where another budget ran
 * out first, as it may on a busy host.
 *
 * @param slowFactor for the first try; four times that for each further one, until it is 1 or above
 * @param isReached whether it came as far as it was to come
 * @returns what the last try gave
 */
export async function hurried<T>(
  slowFactor: number,
  run: (slowFactor: number) => Promise<T>,
  isReached: (result: T) => boolean,
): Promise<T> {
  for (let factor = slowFactor; ; factor *= 4) {
    const result = await run(factor);
    if (isReached(result) || factor >= 1) return result;
  }
}
