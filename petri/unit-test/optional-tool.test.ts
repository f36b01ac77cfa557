import { afterEach, describe, expect, it, vi } from 'vitest';

import { optionalTool, toolsAreRequired } from './optional-tool.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('optionalTool', () => {
  it('finds a program on the path', () => {
    expect(optionalTool('sh', 'dash')).toMatch(/\/sh$/);
  });

  it('gives nothing for one that is missing, where a developer works', () => {
    vi.stubEnv('CI', '');
    vi.stubEnv('PETRI_REQUIRE_TOOLS', '');
    expect(optionalTool('no-such-program', 'no-such-package')).toBeUndefined();
  });

  it('fails for one that is missing, where tools are required', () => {
    vi.stubEnv('PETRI_REQUIRE_TOOLS', '1');
    expect(() => optionalTool('no-such-program', 'no-such-package')).toThrow(/apt-get install no-such-package/);
  });
});

describe('toolsAreRequired', () => {
  it.each([
    [{}, false],
    [{ CI: 'false' }, false],
    [{ PETRI_REQUIRE_TOOLS: '0' }, false],
    [{ CI: 'true' }, true],
    [{ PETRI_REQUIRE_TOOLS: '1' }, true],
  ])('%j: %s', (environment, required) => {
    expect(toolsAreRequired(environment)).toBe(required);
  });
});
