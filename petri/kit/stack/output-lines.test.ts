import { expect, it } from 'vitest';

import { OutputLines } from './output-lines.ts';

function linesOf(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(line));
  for (const chunk of chunks) output.push(Buffer.from(chunk));
  output.end();
  return lines;
}

it('emits a line when it is complete, however the output is split', () => {
  expect(linesOf('make: on', 'e\nmake: two\r', '\n', '\n  \nlast')).toEqual(['make: one', 'make: two', 'last']);
  const [before, after] = [Buffer.from('→').subarray(0, 2), Buffer.from('→').subarray(2)];
  expect(linesOf(before, after, '\n')).toEqual(['→']);
});

it('emits each state of a line that is redrawn', () => {
  expect(linesOf('Receiving: 10%\rReceiving: ', '90%\rReceiving: 100%\n')).toEqual([
    'Receiving: 10%',
    'Receiving: 90%',
    'Receiving: 100%',
  ]);
});

it('truncates a line without an end', () => {
  const lines = linesOf(...Array.from({ length: 100 }, () => 'x'.repeat(1000)));
  expect(lines).toEqual(['x'.repeat(4096)]);
});
