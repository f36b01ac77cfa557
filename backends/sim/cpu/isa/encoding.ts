/**
 * Encodings in the notation of the Arm ARM's diagrams, from bit 31 down: `0` and `1` for fixed bits, `x` for ignored
 * bits, `name:width` or `name` (one bit) for fields. `'sf 0 0 100010 sh imm12:12 Rn:5 Rd:5'` is ADD (immediate).
 */

/** Field values of one instruction word by field name. */
export type Fields<P extends string> = Readonly<Record<FieldNames<P>, number>>;

type Digits = '0' | '1' | 'x';
type IsBits<T extends string> = T extends '' ? true : T extends `${Digits}${infer Rest}` ? IsBits<Rest> : false;
type NameOf<T extends string> = T extends `${infer Name}:${string}` ? Name : IsBits<T> extends true ? never : T;
type FieldNames<P extends string> = P extends `${infer Head} ${infer Tail}`
  ? NameOf<Head> | FieldNames<Tail>
  : NameOf<P>;

export interface Encoding {
  readonly mask: number;
  readonly value: number;
  /** Reads the fields of a word. */
  fields(word: number): Record<string, number>;
}

export function parseEncoding(pattern: string): Encoding {
  let bit = 32;
  let mask = 0;
  let value = 0;
  const fields: { name: string; shift: number; mask: number }[] = [];
  for (const token of pattern.split(' ')) {
    if (/^[01x]+$/.test(token)) {
      for (const digit of token) {
        bit -= 1;
        if (digit === 'x') continue;
        mask |= 1 << bit;
        if (digit === '1') value |= 1 << bit;
      }
    } else {
      const [name = '', width = '1'] = token.split(':');
      bit -= Number(width);
      fields.push({ name, shift: bit, mask: 2 ** Number(width) - 1 });
    }
  }
  if (bit !== 0) throw new RangeError(`encoding has ${String(32 - bit)} bits: ${pattern}`);
  return {
    mask: mask >>> 0,
    value: value >>> 0,
    fields: (word) => {
      const values: Record<string, number> = {};
      for (const field of fields) values[field.name] = (word >>> field.shift) & field.mask;
      return values;
    },
  };
}

/** Sign-extends the low `bits` of a number below 2^31. */
export function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}
