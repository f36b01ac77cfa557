import fc from 'fast-check';

/** Bytes of a text in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function cutAt(bytes: Uint8Array, at: number): Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Chunks of the given sizes, and the rest. */
export function inPieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at = Math.min(bytes.length, at + size);
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

/** Bytes that are difficult for consoles: escapes, line ends, NUL, parts of UTF-8 sequences, and invalid bytes. */
export function awkwardBytes(): fc.Arbitrary<Uint8Array> {
  const fragment = fc.constantFrom(
    '\u001B',
    '\u001B[',
    '\u001B[1;3',
    '1m',
    '\u001B]',
    '\u001B]0;t',
    '\u001B]P012',
    '3456',
    '\u001B]R',
    '\u0007',
    '\\',
    '\u001BP',
    '\u001B(',
    'B',
    '\u009B',
    '\u009C',
    '\u009D',
    '\u0085',
    '\b',
    '\b\b',
    '\u001B[K',
    '\u001B[2K',
    '\u001B[J',
    '\u001B[2;1H',
    '\u001B[3;7H',
    '\u001B[4G',
    '\u001B[2C',
    '\u001B[P',
    '\u001B[2@',
    '\u001B[999999999999D',
    '\u001BM',
    '\t',
    '東',
    '\u0301',
    '\r',
    '\n',
    '\r\n',
    '\0',
    ' ',
    'a',
    'xyz',
    'é',
    '€',
    '🦀',
  );
  const bytes = fc.oneof(
    { weight: 6, arbitrary: fragment.map(utf8) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom([0xe2], [0x82], [0xf0, 0x9f], [0xc3]).map((list) => Uint8Array.from(list)),
    },
  );
  return fc.array(bytes, { maxLength: 24 }).map((parts) => new Uint8Array(Buffer.concat(parts)));
}
