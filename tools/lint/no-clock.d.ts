import type { Linter } from 'eslint';

export const noClock: Linter.Config;
