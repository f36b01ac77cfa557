// `npm test`: types, lint, format, every test, the VM tests on each backend that can run here, and on sim once more beside busy loops,
// with a summary at the end. With arguments, which go to vitest, it is types, lint, format and the tests that they choose.
//
// With PETRI_REQUIRE_TOOLS=1 or CI set, a test that is skipped for want of a tool is a failure: see petri/unit-test/optional-tool.ts.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import pc from 'picocolors';

const root = fileURLToPath(new URL('..', import.meta.url));
const resultFile = fileURLToPath(new URL('../.petri/test-result.json', import.meta.url));
const busyFile = fileURLToPath(new URL('../.petri/busy-result.json', import.meta.url));
const verdictsFile = fileURLToPath(new URL('../.petri/verdicts.json', import.meta.url));
const countsFile = fileURLToPath(new URL('../.petri/counts.json', import.meta.url));

function bin(name) {
  return fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
}

function run(name, script, argv, { quiet }) {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...argv], {
    cwd: root,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = (performance.now() - start) / 1000;
      resolve({ name, ok: code === 0, seconds, output: Buffer.concat(output).toString() });
    });
  });
}

function report({ name, ok, seconds }, note = '') {
  const mark = ok ? pc.green('ok    ') : pc.red('FAILED');
  return `  ${mark}  ${name.padEnd(8)}${seconds.toFixed(1).padStart(7)} s  ${note}`;
}

function counts(file) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    // vitest did not get as far as to write it, which its exit code says too.
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

/** Of the backends besides the first, whose tests are counted already. */
function countsOfBackends() {
  const count = (rows, verdict) =>
    rows.flatMap(({ verdicts }) => verdicts.slice(1)).filter((v) => v === verdict).length;
  try {
    const { rows } = JSON.parse(readFileSync(verdictsFile, 'utf8'));
    return { passed: count(rows, 'pass'), failed: count(rows, 'FAIL'), skipped: count(rows, 'skip') };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

mkdirSync(new URL('../.petri', import.meta.url), { recursive: true });
for (const file of [resultFile, busyFile, verdictsFile, countsFile]) rmSync(file, { force: true });

const checks = await Promise.all([
  run('types', bin('typescript/bin/tsc'), ['--noEmit', '-p', '.'], { quiet: true }),
  run('lint', bin('eslint/bin/eslint.js'), ['--max-warnings', '0', '.'], { quiet: true }),
  run('format', bin('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.'], { quiet: true }),
]);
for (const check of checks) {
  if (!check.ok) console.log(`${report(check)}\n${check.output}`);
}

const reporters = (file) => ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
const tests = await run('tests', 'bin/vitest.mjs', ['run', ...reporters(resultFile), ...process.argv.slice(2)], {
  quiet: false,
});
const steps = [[tests, counts(resultFile)]];
if (process.argv.length === 2) {
  const argv = ['sim', 'qemu', 'fvp', 'hardware', '--here', `--json=${verdictsFile}`];
  steps.push([await run('backends', 'tools/verdicts.mjs', argv, { quiet: false }), countsOfBackends()]);
  const busy = [process.execPath, 'bin/vitest.mjs', 'run', '--backend=sim', ...reporters(busyFile)];
  steps.push([await run('busy', 'tools/busy.mjs', busy, { quiet: false }), counts(busyFile)]);
}

const words = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
const total = { passed: 0, failed: 0, skipped: 0 };
for (const [, counted] of steps) for (const key of Object.keys(total)) total[key] += counted[key];
writeFileSync(countsFile, JSON.stringify(total));
console.log(['', ...checks.map((check) => report(check))].join('\n'));
for (const [step, counted] of steps) console.log(report(step, words(counted)));
console.log(words(total));
process.exitCode = [...checks, ...steps.map(([step]) => step)].every((step) => step.ok) && total.passed > 0 ? 0 : 1;
