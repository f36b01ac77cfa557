// The rules of `npm run lint:house`: what no single file shows. dependency-cruiser finds every circle, those of types
// too.
import { faceRules, testCode } from './rooms.js';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'A circle of files is one file in pieces: what both need belongs below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'testing-for-tests',
      comment: 'What stands in for something in a test is in no product.',
      severity: 'error',
      from: { pathNot: testCode },
      to: { path: testCode },
    },
    ...faceRules,
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
  },
};
