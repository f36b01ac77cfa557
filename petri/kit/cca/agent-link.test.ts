import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentLink } from './agent-link.ts';

const NONCE = '0123456789abcdef';
const BEGIN = `\n##petri ${NONCE} begin##\n`;
const END = `\n##petri ${NONCE} end rc=0##\n`;

function captured(stream: Uint8Array, sizes: readonly number[] = [stream.length]): string {
  const parts: Buffer[] = [];
  const link = new AgentLink();
  link.open(NONCE, (bytes) => parts.push(Buffer.from(bytes)));
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    link.receive(stream.subarray(at, at + size));
    at += size;
  }
  return Buffer.concat(parts).toString('latin1');
}

describe('the link to the agents', () => {
  it.each(['', 'hello', 'hello\n', '\n', '\n\n', 'a\r\nb', '##petri x begin##\n', `##petri ${'f'.repeat(16)} end##\n`])(
    'returns %j as it was printed',
    (output) => {
      expect(captured(Buffer.from(BEGIN + output + END))).toBe(output);
    },
  );

  it('returns any output as it was printed, through any number of terminals and in any chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('\n', '\r', '\r\n', 'x'.repeat(5000)), fc.string({ unit: 'binary' }))),
        fc.integer({ min: 0, max: 3 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (pieces, terminals, sizes) => {
          const output = Buffer.from(pieces.join('')).toString('latin1');
          const stream = (BEGIN + output + END).replaceAll('\n', `${'\r'.repeat(terminals)}\n`);
          expect(captured(Buffer.from(stream, 'latin1'), sizes)).toBe(output);
        },
      ),
    );
  });

  it('receives several frames of an exchange from one chunk', async () => {
    const link = new AgentLink();
    const exchange = link.open(NONCE, () => undefined);
    link.receive(Buffer.from(BEGIN + END));
    expect((await exchange.next('begin')).verb).toBe('begin');
    expect((await exchange.next('end')).values).toEqual({ rc: '0' });
  });

  it('receives nothing after an exchange is closed', () => {
    let bytes = 0;
    const link = new AgentLink();
    const exchange = link.open(NONCE, (chunk) => (bytes += chunk.length));
    link.receive(Buffer.from(BEGIN));
    exchange.close();
    link.receive(Buffer.from('hello\n\n'));
    expect(bytes).toBe(0);
  });

  it('passes on every other line', () => {
    const lines: string[] = [];
    const link = new AgentLink((line) => lines.push(line));
    link.open(NONCE);
    link.receive(Buffer.from(`one\r\n${BEGIN}Kernel panic\n`));
    expect(lines).toEqual(['one\r', '', 'Kernel panic']);
  });
});
