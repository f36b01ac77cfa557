import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checksum, checksumOf } from './checksum.ts';

describe('the checksum', () => {
  it.each(['', 'hello', 'x'.repeat(70_000)])('is what cksum prints', (text) => {
    const [value] = execFileSync('cksum', { input: text, encoding: 'utf8' }).split(' ');
    expect(checksumOf(Buffer.from(text))).toBe(Number(value));
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const checksum = new Checksum();
        for (const chunk of chunks) checksum.update(chunk);
        const whole = Buffer.concat(chunks);
        expect([checksum.value, checksum.bytes]).toEqual([checksumOf(whole), whole.length]);
      }),
    );
  });
});
