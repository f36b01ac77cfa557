import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';

import { testFolder } from './test-folder.ts';

function folder(projectName: string | undefined, file: string, fullTestName: string, retryCount = 0): string {
  const task = { file: { projectName, name: file }, fullTestName, result: { retryCount } };
  return testFolder('/runs', task as unknown as TestContext['task']);
}

describe('the folder of a test', () => {
  it('is below its project, its file and its suites', () => {
    expect(folder('sim', 'tests/a.test.ts', 'suite > boots')).toBe(
      join('/runs', 'sim', 'tests', 'a.test.ts', 'suite', 'boots'),
    );
    expect(folder(undefined, 'b.test.ts', 'boots', 1)).toBe(join('/runs', 'b.test.ts', 'boots.retry-1'));
  });

  it('is not that of another project or file whose names only look the same when joined', () => {
    const folders = [
      folder('a', 'b-c.test.ts', 'x'),
      folder('a-b', 'c.test.ts', 'x'),
      folder(undefined, 'a-b-c.test.ts', 'x'),
      folder('a', 'b/c.test.ts', 'x'),
    ];
    expect(new Set(folders).size).toBe(4);
  });

  it('is another one for a second test of the same name', () => {
    expect(folder('twice', 'a.test.ts', 'same name')).not.toBe(folder('twice', 'a.test.ts', 'same-name'));
  });
});
