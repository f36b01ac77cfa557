import fc from 'fast-check';

const COLOUR = /\u001B\[\d+m/g;

/**
 * What of an output a terminal or a CI runner would act on, for tests of what we print. Written apart from what it
 * tests: by code point, and with the runners' own rules (GitHub's runner trims a line and looks at its start, and finds
 * `##[` anywhere).
 */
export function hazardsIn(output: string): string[] {
  const plain = output.replaceAll(COLOUR, '');
  const characters = Array.from(plain).flatMap((character) => {
    const code = character.codePointAt(0) ?? 0;
    return character !== '\n' && character !== '\t' && isHazard(code) ? [`U+${code.toString(16)}`] : [];
  });
  const commands = plain
    .split('\n')
    .filter((line) => line.trim().startsWith('::') || /##\[|##\w+\[/.test(line))
    .map((line) => `command: ${line.trim().slice(0, 80)}`);
  return [...new Set([...characters, ...commands])];
}

/** C0, DEL and C1; bidirectional and other invisible marks; separators; surrogates; tags. */
function isHazard(code: number): boolean {
  const ranges: readonly (readonly [number, number])[] = [
    [0, 0x1f],
    [0x7f, 0x9f],
    [0xad, 0xad],
    [0x61c, 0x61c],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x2064],
    [0x2066, 0x206f],
    [0xd800, 0xdfff],
    [0xfeff, 0xfeff],
    [0xe0001, 0xe007f],
  ];
  return ranges.some(([first, last]) => code >= first && code <= last);
}

/**
 * Texts from random bytes as UTF-8 and as Latin-1, random code units, and what runners and terminals obey, in any
 * order.
 */
export function hostileText(): fc.Arbitrary<string> {
  const fragment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        '::',
        ':',
        '##',
        '#',
        '[',
        'vso[',
        '::error::x',
        '##vso[task.x]',
        '##teamcity[',
        ' ',
        '\t',
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        '\u001B',
        '\u001B[',
        '\u001B]52;c;',
        '\u0007',
        '31m',
        '\u001B[0m',
        '\u009B',
        '\u009D',
        '\u0085',
        '\r',
        '\n',
        '\b',
        '\u007F',
      ),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '\u202E',
        '\u2066',
        '\u200F',
        '\u061C',
        '\u2028',
        '\u2029',
        '\uFEFF',
        '\u00A0',
        '\u3000',
        '\uD800',
        '\uDC00',
        '\u{E0041}',
      ),
    },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('utf8')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
    { weight: 1, arbitrary: fc.constantFrom('| ', '  | ', ' ✓ tests/x', '\\x1b', '\\n', '  remedy: ') },
  );
  return fc.array(fragment, { maxLength: 20 }).map((parts) => parts.join(''));
}
