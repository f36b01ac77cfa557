import type { Decoded, Definition } from './definition.ts';
import { generalDefinitions, simdAndFpDefinitions } from './index.ts';

/** A definition with its index in the table, which identifies its generated code. */
export interface TableRow {
  readonly index: number;
  readonly definition: Definition;
  readonly simd: boolean;
}

export interface Instruction {
  readonly row: TableRow;
  readonly decoded: Decoded;
}

/** Bits 28:24 distinguish most encodings; a row that ignores some of them is in several buckets. */
const BUCKET_SHIFT = 24;
const BUCKETS = 32;

function buildBuckets(): readonly (readonly TableRow[])[] {
  const rows: TableRow[] = [...generalDefinitions, ...simdAndFpDefinitions].map((definition, index) => ({
    index,
    definition,
    simd: index >= generalDefinitions.length,
  }));
  return Array.from({ length: BUCKETS }, (_, bucket) =>
    rows.filter(({ definition: { encoding } }) => {
      const mask = (encoding.mask >>> BUCKET_SHIFT) & (BUCKETS - 1);
      return (bucket & mask) === ((encoding.value >>> BUCKET_SHIFT) & mask);
    }),
  );
}

const buckets = buildBuckets();

/** @param pc its virtual address @returns undefined for an unallocated or unknown instruction */
export function decode(word: number, pc: number): Instruction | undefined {
  for (const row of buckets[(word >>> BUCKET_SHIFT) & (BUCKETS - 1)] ?? []) {
    const { encoding } = row.definition;
    if ((word & encoding.mask) >>> 0 !== encoding.value) continue;
    const decoded = row.definition.decode(word, pc);
    if (decoded !== undefined) return { row, decoded };
  }
  return undefined;
}
