import { readFileSync, statSync } from 'node:fs';
import { petriTest, tmk, type IsolationType } from 'petri-vm';

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest(
    isolation,
    'every byte of a flood is on disk',
    { payload: tmk('flood'), test: 'log_16mb', requires: ['serial.fast'] },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith('complete');
      const path = vm.serial.logPath ?? '';
      expect(statSync(path).size).toBe(vm.serial.size);
      const lines = readFileSync(path, 'latin1').split('\n');
      const numbered = lines.slice(1, -2);
      expect(numbered).toHaveLength(16 * 1024);
      numbered.forEach((line, index) => {
        if (Number(line.slice(0, 10)) !== index || line.length !== 1024)
          expect.fail(`line ${index} is '${line.slice(0, 40)}'`);
      });
    },
  );

  petriTest(
    isolation,
    'a hundred thousand short lines arrive in order, and the events of the TMK stay bounded',
    { payload: tmk('flood'), test: 'log_short_lines', requires: ['serial.fast'] },
    async ({ vm, expect }) => {
      await vm.serial.waitFor(/^99999$/);
      await expect(vm).toHaltWith('complete');
      expect(vm.tmk.events.length).toBeLessThan(20_000);
    },
  );
}
