// A vitest reporter for check.mjs and verdicts.mjs: writes how every test ended, and what failed besides tests, into
// the file PETRI_VERDICTS_FILE. Its types are in counts.ts.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

import { load } from '../bin/load.mjs';

const { outcomeOf } = await load('petri/report/outcome');
const { isUnread } = await load('petri/report/summary');

export default class {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        file: module.relativeModuleId,
        name: test.fullName,
        ...outcomeOf(test),
        failure: failureOf(test),
      })),
    );
    const suites = modules.flatMap((module) =>
      [module, ...module.children.allSuites()].map((suite) => [module, suite]),
    );
    const broken = [
      ...suites.flatMap(([module, suite]) =>
        suite.errors().map(({ message }) => `${module.relativeModuleId}: ${firstLine(message)}`),
      ),
      ...unhandledErrors.map((error) => `unhandled${whileRunning(error)}: ${firstLine(error.message)}`),
    ];
    const unread = modules.filter(isUnread).length;
    writeFileSync(process.env.PETRI_VERDICTS_FILE, JSON.stringify({ tests, broken, unread }));
  }
}

function failureOf(test) {
  const [error] = test.result().errors ?? [];
  return error === undefined ? undefined : firstLine(error.message);
}

/** The file and the test that ran then, as Vitest notes them; neither need be to blame. */
function whileRunning({ VITEST_TEST_PATH: path, VITEST_TEST_NAME: name }) {
  if (path === undefined) return '';
  const file = relative(process.cwd(), path);
  return name === undefined ? ` in ${file}` : ` in ${file} ('${name}')`;
}

function firstLine(message) {
  return String(message).split('\n')[0];
}
