import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { petriTest, tmk, type IsolationType } from 'petri-vm';

const options = { payload: tmk('buried'), requires: ['serial.fast' as const], timeout: 60_000 };
const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest(isolation, 'what is out of memory is found on disk', options, async ({ vm, expect }) => {
    await expect(vm).toHaltWith('complete');
    await expect(vm).toPrint('what must not be said');
    expect(vm.serial.transcript).toContain('what must not be said');
  });

  petriTest(
    isolation,
    'nothing is concluded from what was lost',
    { ...options, consoleLimit: '1M' },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith('complete');
      await expect(expect(vm).not.toPrint('what must not be said')).rejects.toThrow(/are lost.*its limit of 1 MiB/);
      await expect(vm.serial.waitFor('what must not be said')).rejects.toMatchObject({ code: 'console-incomplete' });
      expect(() => vm.serial.transcript).toThrow(/are lost/);
      expect(readFileSync(join(vm.directory, 'petri.log'), 'utf8')).toMatch(
        /console '\w+' is on disk up to byte 1,048,576 only/,
      );
    },
  );
}
