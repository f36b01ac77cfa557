import type { Linter } from 'eslint';

export declare const importArrows: Pick<Linter.Config, 'plugins' | 'settings' | 'rules'>;
