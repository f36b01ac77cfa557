import { execFileSync } from 'node:child_process';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shellCommand } from './quote.ts';

describe('shellCommand', () => {
  it('leaves plain words unchanged', () => {
    expect(shellCommand(['lkvm', 'run', '-m', '512', '--measurement-algo=sha256', '/cca/Image'])).toBe(
      'lkvm run -m 512 --measurement-algo=sha256 /cca/Image',
    );
  });

  it('rejects NUL', () => {
    expect(() => shellCommand(['a\0b'])).toThrow('NUL');
  });

  it('passes exactly the given arguments to sh', () => {
    const shown = 'for a in "$@"; do printf "%s\\0" "$a"; done';
    // Many at once: one shell for each would take minutes.
    fc.assert(
      fc.property(fc.array(hostileText(), { minLength: 1, maxLength: 200 }), (args) => {
        const command = shellCommand(['sh', '-c', shown, 'sh', ...args]);
        expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe(args.map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 50 },
    );
  });
});

function hostileText(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    '$(id)',
    '`id`',
    ';',
    '&',
    '|',
    "'",
    '"',
    '\\',
    '\n',
    '\r',
    '~',
    '*',
    '!',
    '${HOME}',
    '-',
    '=',
    '#',
    ' ',
    '\t',
    "'\\''",
    'é',
    '\u{1f600}',
  );
  return fc.oneof(
    fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0')),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
}
