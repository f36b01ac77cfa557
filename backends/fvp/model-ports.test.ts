import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PortFinder, type ModelPort } from './model-ports.ts';

function find(...chunks: readonly string[]): ModelPort[] {
  const found: ModelPort[] = [];
  const finder = new PortFinder((port) => found.push(port));
  for (const chunk of chunks) finder.push(Buffer.from(chunk));
  return found;
}

const generations = [
  'terminal_0: Listening for serial connection on port 5000\n',
  '\nInfo: FVP_Base_RevC_2xAEMvA: terminal_0: Listening for serial connection on port 5000\n',
  'bp.terminal_0: port 5000\n',
  '[   fvp ] terminal_0: Listening for serial connection on port 5000\r\n',
  '\u001b[34m[   fvp ] \u001b[0m\u001b[34mbp.terminal_0: port 5000\u001b[0m\n',
];

describe('the ports of the model', () => {
  it.each(generations)('are found in %j', (line) => {
    expect(find(line)).toEqual([{ uart: 0, port: 5000 }]);
  });

  it.each(generations)('are found in %j however it is split', (line) => {
    for (let at = 0; at <= line.length; at += 1) {
      expect(find(line.slice(0, at), line.slice(at))).toEqual([{ uart: 0, port: 5000 }]);
    }
  });

  it('are those that were printed first', () => {
    expect(
      find(
        'terminal_3: Listening for serial connection on port 5007\n',
        'terminal_3: Listening for serial connection on port 1\n',
        'terminal_1: Listening for serial connection on port 99999\n',
        'Warning: FVP: bp.hostbridge: Unable to bind to port 8022\n',
        'myterminal_2: port 5000 is busy\n',
      ),
    ).toEqual([{ uart: 3, port: 5007 }]);
  });

  it('are not searched in a line without end', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (chunks) => {
        find(...chunks);
      }),
    );
    expect(find('x'.repeat(100_000), '\n', generations[0] ?? '')).toHaveLength(1);
  });
});
