import { expect, it } from 'vitest';
import { NoDevice } from './no-device.ts';

it('logs what becomes of accesses to no device, and of a million only the first', () => {
  const lines: string[] = [];
  const device = new NoDevice((line) => lines.push(line));
  device.read('read of 4 bytes');
  expect([device.logsReads, device.logsWrites]).toEqual([true, true]);
  for (let count = 0; count < 1_000_000 && device.logsWrites; count++) device.write('write of 8 bytes', 0xabcn);
  expect(lines.slice(0, 2)).toEqual([
    'read of 4 bytes: no device; read as all ones',
    'write of 8 bytes: no device; ignored 0xabc',
  ]);
  expect(lines.at(-1)).toBe('writes to no device: no further lines of this kind');
  expect(lines).toHaveLength(18);
  // Each kind has its own bound.
  expect([device.logsReads, device.logsWrites]).toEqual([true, false]);
});
