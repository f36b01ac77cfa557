// `npm test`: types, lint, circles and faces, exports that nobody imports, format, docstrings of the public entries,
// every test, the VM tests on each backend that can run here, and on sim once more beside busy loops, with a summary at
// the end. With arguments, which go to vitest, the tests are those that they choose.
//
// With PETRI_REQUIRE_TOOLS=1 or CI set, a test that is skipped for want of a tool is a failure: see
// petri/unit-test/optional-tool.ts.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import pc from 'picocolors';

import { load } from '../bin/load.mjs';

const { countRun, countStep, countTable, describeCounts, isGood, listFailures, sum } = await load('tools/counts');
const { harmlessLine } = await load('petri/text/index');

const root = fileURLToPath(new URL('..', import.meta.url));
const resultFile = fileURLToPath(new URL('../.petri/test-result.json', import.meta.url));
const busyFile = fileURLToPath(new URL('../.petri/busy-result.json', import.meta.url));
const verdictsFile = fileURLToPath(new URL('../.petri/verdicts.json', import.meta.url));
const countsFile = fileURLToPath(new URL('../.petri/counts.json', import.meta.url));

function bin(name) {
  return fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
}

function run(name, script, argv, { quiet, env = {} }) {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...argv], {
    cwd: root,
    env: { ...process.env, ...env },
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

/** What a step wrote of itself; undefined when it did not get as far, which its exit code says too. */
function written(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

mkdirSync(new URL('../.petri', import.meta.url), { recursive: true });
for (const file of [resultFile, busyFile, verdictsFile, countsFile]) rmSync(file, { force: true });

const checks = await Promise.all([
  run('types', bin('typescript/bin/tsc'), ['--noEmit', '-p', '.'], { quiet: true }),
  run('lint', bin('eslint/bin/eslint.js'), ['--max-warnings', '0', '.'], { quiet: true }),
  run('house', 'tools/lint/check-house.mjs', [], { quiet: true }),
  run('exports', bin('knip/bin/knip.js'), ['--no-progress'], { quiet: true }),
  run('format', bin('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.'], { quiet: true }),
  run('docs', bin('typedoc/bin/typedoc'), ['--emit', 'none'], { quiet: true }),
]);
for (const check of checks) {
  if (!check.ok) console.log(`${report(check)}\n${check.output}`);
}

const reporters = ['--reporter=default', '--reporter=tools/verdicts-reporter.mjs'];
const recording = (file) => ({ quiet: false, env: { PETRI_VERDICTS_FILE: file } });
const tests = await run(
  'tests',
  'bin/vitest.mjs',
  ['run', ...reporters, ...process.argv.slice(2)],
  recording(resultFile),
);
const steps = [{ ...tests, counts: countRun(written(resultFile)), failures: listFailures(written(resultFile)) }];
if (process.argv.length === 2) {
  const argv = ['sim', 'qemu', 'fvp', 'hardware', '--here', `--json=${verdictsFile}`];
  const backends = await run('backends', 'tools/verdicts.mjs', argv, { quiet: false });
  steps.push({ ...backends, counts: countTable(written(verdictsFile)) });
  // Operating systems boot once, with the backends: what they do is no more of the clock than what TMKs do.
  const files = ['tests/tmk', 'tests/realm', 'tests/image/bare-metal'];
  const busy = [process.execPath, 'bin/vitest.mjs', 'run', '--backend=sim', ...reporters, ...files];
  steps.push({
    ...(await run('busy', 'tools/busy.mjs', busy, recording(busyFile))),
    counts: countRun(written(busyFile)),
    failures: listFailures(written(busyFile)),
  });
}

const all = [...checks, ...steps];
const total = sum(all);
const line = describeCounts(total);
writeFileSync(countsFile, JSON.stringify({ ...total, line }));
console.log(['', ...checks.map((check) => report(check))].join('\n'));
for (const step of steps) {
  console.log(report(step, describeCounts(countStep(step))));
  for (const failure of step.failures ?? []) console.log(`    ${pc.red('×')} ${harmlessLine(failure)}`);
}
console.log(line);
process.exitCode = isGood(all) ? 0 : 1;
