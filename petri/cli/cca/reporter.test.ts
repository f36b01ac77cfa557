import { afterEach, expect, it, vi } from 'vitest';

import type { StackStep } from '../../kit/stack/index.ts';
import { InstallReporter } from './reporter.ts';

afterEach(() => void vi.restoreAllMocks());

const step: StackStep = { name: 'tmk-vmm', title: 'Build tmk_vmm', inputs: {}, commands: [], run: async () => {} };

it('shows the output of a step after its name, without control sequences and commands for CI runners', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const reporter = new InstallReporter({ verbose: true });
  reporter.output?.(step, '\u001B]0;title\u0007\u001B[2J   Compiling x');
  reporter.output?.(step, '::error::no');
  const printed = write.mock.calls.map(([text]) => String(text)).join('');
  expect(printed.replaceAll(/\u001B\[\d+m/g, '')).toBe(
    String.raw`tmk-vmm | \x1b]0;title\x07\x1b[2J   Compiling x` + '\n' + String.raw`tmk-vmm | \x3a:error::no` + '\n',
  );
});

it('receives no output unless requested', () => {
  expect(new InstallReporter().output).toBeUndefined();
});
