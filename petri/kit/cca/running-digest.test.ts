import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, RunningDigest } from './running-digest.ts';

describe('the digest', () => {
  it.each(['', 'hello', 'x'.repeat(70_000)])('is what sha256sum prints', (text) => {
    const [value] = execFileSync('sha256sum', { input: text, encoding: 'utf8' }).split(' ');
    expect(digestOf(Buffer.from(text))).toBe(value);
  });

  it('does not depend on how the bytes are split, or on reads in between', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const digest = new RunningDigest();
        for (const [index, chunk] of chunks.entries()) {
          digest.update(chunk);
          expect(digest.value).toBe(digestOf(Buffer.concat(chunks.slice(0, index + 1))));
        }
        const whole = Buffer.concat(chunks);
        expect([digest.value, digest.bytes]).toEqual([digestOf(whole), whole.length]);
      }),
    );
  });
});
