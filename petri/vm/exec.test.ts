import { describe, expect, it } from 'vitest';

import { checkExec } from './exec.ts';

describe('what exec is given is checked', () => {
  it.each([
    ['an option', ['ls', { cwd: '/' }], /exec\(\) has no option 'cwd'/],
    ['words', [['ls'], {}], /command of exec\(\) is \[ 'ls' \]/],
  ])('%s', (_name, [command, options], message) => {
    expect(() => {
      checkExec(command, options);
    }).toThrow(message);
  });
});
