import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

import { noClock } from './no-clock.js';

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser }, ...noClock }],
});

async function complaints(code: string): Promise<number> {
  const [result] = await eslint.lintText(code, { filePath: 'petri/some.test.ts' });
  return result?.messages.length ?? 0;
}

describe('a unit test', () => {
  it.each([
    `import { setTimeout as sleep } from 'node:timers/promises';`,
    `await new Promise((resolve) => setTimeout(resolve, 20));`,
    `const began = performance.now();`,
    `const began = Date.now();`,
    `await vi.waitFor(() => expect(x).toBe(1));`,
    `await expect.poll(() => x, { timeout: 1000 }).toBe(1);`,
    `beforeAll(async () => {}, 60_000);`,
    `it('x', { timeout: 1000 }, () => {});`,
    `it.skipIf(gcc)('x', { timeout: 1000 }, () => {});`,
    `it.concurrent.each([1])('x', { timeout: 1000 }, () => {});`,
    `describe('x', { timeout }, () => {});`,
    `it('x', () => {}, 1000);`,
  ])('may not have %s', async (code) => {
    expect(await complaints(code)).toBe(1);
  });

  it.each([
    `import { setImmediate as turn } from 'node:timers/promises';`,
    `await expect.poll(() => x).toBe(1);`,
    `it('x', { retry: 0 }, () => {});`,
    `await console.waitFor('x', { timeout: 5 });`,
    `beforeAll(() => {});`,
  ])('may have %s', async (code) => {
    expect(await complaints(code)).toBe(0);
  });
});
