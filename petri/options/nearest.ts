/** The one of some names that somebody may have meant, if any is near enough to what they wrote. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const bound = Math.max(1, Math.floor(written.length / 3));
  let best: { readonly name: string; readonly changes: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - written.length) > bound) continue;
    const changes = changesBetween(written.toLowerCase(), name.toLowerCase());
    if (changes <= bound && (best === undefined || changes < best.changes)) best = { name, changes };
  }
  return best?.name;
}

/** `, did you mean 'serial'?`, or nothing. */
export function didYouMean(written: string, names: readonly string[]): string {
  const name = nearest(written, names);
  return name === undefined ? '' : `, did you mean '${name}'?`;
}

/**
 * How many letters have to be added, dropped, changed or swapped with their neighbour (optimal string alignment
 * distance).
 */
function changesBetween(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
