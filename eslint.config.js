import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

import { importArrows } from './tools/lint/arrows.js';
import { noClock } from './tools/lint/no-clock.js';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.petri/', 'artifacts/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Guest words and counters go into messages all the time; what is forbidden is printing an object by accident.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNever: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Contracts are asynchronous where an implementation may happen not to wait for anything.
      '@typescript-eslint/require-await': 'off',
      // A short arrow function may end in a call whose value nobody uses.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Contracts are declared as methods and their implementations often use no `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Slow, and without work here: the code has no enums, and a structural stand-in for a class is how tests inject
      // one.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      // Empty callbacks are ordinary here.
      '@typescript-eslint/no-empty-function': 'off',
      // A class with only static members or a function with a type parameter used once has its reasons.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      // Serial output is bytes: control characters in patterns are the point.
      'no-control-regex': 'off',
    },
  },
  {
    // Code is prettier's; a comment is as wide as .editorconfig says.
    files: ['**/*.{ts,mjs,js}'],
    rules: {
      'max-len': ['error', { code: 10_000, comments: 120, ignoreUrls: true, ignorePattern: 'eslint-disable' }],
    },
  },
  {
    files: ['petri/cli/**', 'petri/vitest/**', 'tools/**', 'bench/**', '**/*.js', '**/*.mjs', 'bin/*'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['petri/**/*.ts'],
    ignores: [
      'petri/text/print.ts',
      'petri/cli/{output,progress}.ts',
      '**/*.test.ts',
      '**/testing/**',
      '**/fixtures/**',
    ],
    rules: {
      // Whatever reaches a terminal or a CI log may have words of a guest in it.
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'stdout', message: 'print() of petri/text makes it harmless' },
        { object: 'process', property: 'stderr', message: 'printError() of petri/text makes it harmless' },
      ],
    },
  },
  {
    files: ['{petri,backends}/**/*.ts'],
    ignores: ['petri/shared.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSAsExpression > Identifier[name="globalThis"]',
          message: 'shared() of petri/shared.ts keeps what a process has once',
        },
      ],
    },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      // expect.stringContaining(…) and its like are of type any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', 'bin/*'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
      },
    },
  },
  { files: ['**/*.ts'], ...importArrows },
  // VM tests have time-outs, as they would have at a user's.
  { files: ['**/*.test.ts'], ignores: ['tests/!(stand-ins)/**'], ...noClock },
);
