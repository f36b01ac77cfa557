import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  escapeWord,
  framePattern,
  hostCommands,
  newNonce,
  parseFrame,
  plane0Commands,
  shellCommands,
} from './agent-protocol.ts';

describe('frames', () => {
  it('are parsed with their values', () => {
    expect(parseFrame('##petri 0123456789abcdef end rc=0 bytes=12 sha=3a5##')).toEqual({
      nonce: '0123456789abcdef',
      verb: 'end',
      values: { rc: '0', bytes: '12', sha: '3a5' },
    });
  });

  it('are found after a prompt', () => {
    expect(parseFrame('sh-5.2# ##petri 0123456789abcdef shell##')?.verb).toBe('shell');
  });

  it.each(['', '##petri', '##petri 0123 end##', '##petri 0123456789abcdef end', '##petri 0123456789ABCDEF end##'])(
    'are not found in %j',
    (line) => {
      expect(parseFrame(line)).toBeUndefined();
    },
  );

  it('never throw, whatever the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseFrame(`##petri ${text}`);
      }),
    );
  });

  it('do not match the echo of any command', () => {
    const nonce = newNonce();
    const commands = [
      hostCommands.ping(nonce),
      hostCommands.realm(nonce, { memory: 512, algorithm: 'sha256', rpv: new TextEncoder().encode('##petri x##') }),
      hostCommands.off(nonce),
      plane0Commands.run(nonce, 'tmk/x.elf', `##petri ${nonce} end rc=0##`),
      plane0Commands.put(nonce, 'tmk/x.elf', 1),
      shellCommands.nudge(nonce),
      shellCommands.startAgent(nonce),
    ];
    for (const command of commands) {
      expect(parseFrame(command)).toBeUndefined();
      for (const verb of ['shell', 'end', 'pong', 'realm-begin', 'plane0-ready']) {
        expect(framePattern(nonce, verb).test(command)).toBe(false);
      }
    }
  });
});

describe('words', () => {
  it('leave the names of tests unchanged', () => {
    expect(escapeWord('common::boot')).toBe('common::boot');
  });

  it('contain no special character of a shell or terminal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(escapeWord(bytes)).toMatch(/^[\w:.,/<>()@+=\\-]*$/);
      }),
    );
  });
});
