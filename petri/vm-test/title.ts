import { format, inspect } from 'node:util';

/**
 * The title of one row: `$key` and `$key.key` stand for properties of the row, `%s` and the other marks of
 * `util.format` for the row or, of an array, its elements in turn.
 */
export function rowTitle(title: string, row: unknown): string {
  const named = title.replaceAll(/\$([\w$]+(?:\.[\w$]+)*)/g, (whole, path: string) => {
    const value = path.split('.').reduce<unknown>((object, key) => propertyOf(object, key), row);
    if (value === undefined) return whole;
    return typeof value === 'string' ? value : inspect(value, { breakLength: Infinity });
  });
  const marks = named.match(/%[sdifjoO]/g)?.length ?? 0;
  const values: readonly unknown[] = Array.isArray(row) ? row : [row];
  return marks === 0 ? named : format(named, ...values.slice(0, marks));
}

function propertyOf(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null ? (Reflect.get(object, key) as unknown) : undefined;
}
