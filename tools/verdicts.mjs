// `npm run verdicts -- sim qemu …`: runs the VM tests on each backend and prints, in one table, how each of them ended.
//
// It fails when a backend has another verdict on a test than the first one, when one fails or does not come to run, and
// when `petri list` said otherwise of it. A test that a backend skips for a reason is no difference; the reasons are
// counted below the table. Tests of an isolation type that it does not make show as `-`. `--all` lists every test,
// otherwise those that agree are counted by file. `--json=FILE` keeps it all.
//
// `--here` brings what is behind a backend where it can be had without hardware or downloads: for `fvp` the stand-in,
// for `hardware` an sshd on loopback. Backends that cannot run then are left out, unless tools are required.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import pc from 'picocolors';

import { load } from '../bin/load.mjs';
import { openHomes } from './homes.mjs';

const { countRun } = await load('tools/counts');
const { byName, contradictions } = await load('tools/listing');

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    here: { type: 'boolean' },
    json: { type: 'string' },
    isolation: { type: 'string' },
  },
});
if (asked.length === 0) {
  console.error('usage: npm run verdicts -- BACKEND [BACKEND …] [--here] [--isolation=TYPE] [--all] [--json=FILE]');
  process.exit(2);
}

const homes = values.here ? await openHomes() : { env: {}, notes: {}, close: async () => {} };
const env = { ...process.env, ...homes.env };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => void homes.close().finally(() => process.exit(130)));
}

/** What `petri doctor` says of a backend. */
async function examine(backend) {
  const output = await new Promise((resolve) => {
    const argv = [join(root, 'bin/petri.mjs'), 'doctor', `--backend=${backend}`, '--json'];
    execFile(process.execPath, argv, { cwd: root, env }, (_error, out, err) => resolve(out === '' ? err : out));
  });
  if (!output.startsWith('{')) return { missing: [output.trim()] };
  const { probe } = JSON.parse(output).backends[0];
  if (!probe.available) return { missing: probe.missing.map(({ what, remedy }) => `${what} (${remedy})`) };
  const chosen = values.isolation?.split(',');
  return { isolation: Object.keys(probe.isolation).filter((type) => chosen?.includes(type) ?? true) };
}

const verdictOf = { passed: 'pass', failed: 'FAIL', skipped: 'skip', 'not run': 'not run' };

/** By name, how each test ended on a backend, and why it was skipped. */
async function verdictsOf(backend, isolation, folder) {
  const file = join(folder, `${backend}.json`);
  const reporter = fileURLToPath(new URL('verdicts-reporter.mjs', import.meta.url));
  const own = [`--backend=${backend}`, `--isolation=${isolation.join(',')}`];
  const argv = ['run', ...own, '--passWithNoTests', `--reporter=${reporter}`, '--reporter=dot'];
  const started = performance.now();
  const code = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin/vitest.mjs'), ...argv], {
      cwd: root,
      env: { ...env, PETRI_VERDICTS_FILE: file },
      stdio: ['ignore', process.stderr.isTTY ? 'inherit' : 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
  const record = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { tests: [], broken: [], unread: 0 };
  const counted = countRun(record);
  const crashed = code !== 0 && counted.failed === 0 && counted.notRun === 0;
  const broken = [...record.broken, ...(crashed ? [`vitest ended with ${code} and no failed test`] : [])];
  const tests = byName(record.tests.filter(({ kind }) => kind !== 'left out'));
  return { backend, tests, broken, seconds: (performance.now() - started) / 1000 };
}

/** What `petri list` says of the tests on every backend. */
async function listing() {
  const argv = [join(root, 'bin/petri.mjs'), 'list', '--json'];
  // Whoever chooses a backend is after VM tests: others need not be read.
  const own = { cwd: root, env: { ...env, PETRI_BACKEND: 'sim' }, maxBuffer: 2 ** 26 };
  const output = await new Promise((resolve, reject) => {
    execFile(process.execPath, argv, own, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`petri list failed: ${err}`, { cause: error })),
    );
  });
  return byName(JSON.parse(output).tests);
}

const folder = mkdtempSync(join(tmpdir(), 'petri-verdicts-'));
const runs = [];
let listed;
try {
  for (const backend of asked) {
    const { isolation, missing } = await examine(backend);
    if (isolation?.length > 0) runs.push(await verdictsOf(backend, isolation, folder));
    else if (isolation === undefined) {
      console.log(`${pc.yellow('left out')}: '${backend}' cannot run here: ${missing.join('; ')}`);
      if (!values.here || process.env.CI || process.env.PETRI_REQUIRE_TOOLS) process.exitCode = 1;
    }
  }
  listed = await listing();
} finally {
  rmSync(folder, { recursive: true });
  await homes.close();
}
const backends = runs.map(({ backend }) => backend);

const [first] = runs;
const names = [...new Set(runs.flatMap(({ tests }) => [...tests.keys()]))];
const rows = names.map((name) => {
  const verdicts = runs.map(({ tests }) => verdictOf[tests.get(name)?.kind] ?? '-');
  const seen = new Set(verdicts.filter((verdict) => verdict === 'pass' || verdict === 'FAIL'));
  return { name, file: name.split(' > ')[0], verdicts, differs: seen.size > 1, ran: seen.size > 0 };
});

const isBad = (verdicts) => verdicts.includes('FAIL') || verdicts.includes('not run');

const wide = 66;
const columns = (cells) => cells.map((cell) => String(cell).padStart(10)).join('');
console.log(`${pc.bold('test'.padEnd(wide))}${pc.bold(columns(backends))}`);
for (const file of [...new Set(rows.map((row) => row.file))]) {
  const own = rows.filter((row) => row.file === file);
  const count = runs.map((_, index) => own.filter((row) => row.verdicts[index] === 'pass').length);
  console.log(`${file.padEnd(wide)}${columns(count.map((n) => `${n}/${own.length}`))}`);
  for (const row of own.filter(({ differs, verdicts }) => values.all || differs || isBad(verdicts))) {
    const title = `  ${row.name.slice(file.length + 3)}`;
    const mark = row.differs ? pc.red : (text) => text;
    console.log(mark(`${title.slice(0, wide - 1).padEnd(wide)}${columns(row.verdicts)}`));
  }
}
const total = (verdict) => runs.map((_, index) => rows.filter((row) => row.verdicts[index] === verdict).length);
for (const [label, verdict] of [
  ['passed', 'pass'],
  ['failed', 'FAIL'],
  ['skipped', 'skip'],
  ['not run', 'not run'],
]) {
  if (verdict === 'not run' && !rows.some(({ verdicts }) => verdicts.includes(verdict))) continue;
  console.log(`${pc.bold(label.padEnd(wide))}${columns(total(verdict))}`);
}
console.log(`${'seconds, everything included'.padEnd(wide)}${columns(runs.map(({ seconds }) => seconds.toFixed(1)))}`);
for (const { backend, tests } of runs) {
  if (homes.notes[backend] !== undefined) console.log(`${pc.dim(`${backend}:`)} ${homes.notes[backend]}`);
  const reasons = new Map();
  for (const { reason } of tests.values()) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1])) {
    console.log(`${pc.dim(`skipped on ${backend}:`)} ${count} × ${reason}`);
  }
}

const differing = rows.filter((row) => row.differs);
const failed = rows.filter((row) => isBad(row.verdicts));
const broken = runs.flatMap((run) => run.broken.map((what) => `${run.backend}: ${what}`));
for (const what of broken) console.log(`${pc.red('broken')}: ${what}`);
const contradicted = runs.flatMap(({ backend, tests }) => contradictions(backend, listed, tests));
for (const what of contradicted) console.log(`${pc.red('petri list is wrong')}: ${what}`);
const compared = runs.slice(1).map(({ backend }, index) => {
  const both = rows.filter(({ verdicts }) => verdicts[0] === 'pass' && verdicts[index + 1] === 'pass').length;
  return `${both} tests pass on both ${first.backend} and ${backend}`;
});
console.log(
  [...compared, `${differing.length} verdicts differ`, `${failed.length} tests failed or did not run`].join('; '),
);
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ backends, rows, broken, contradicted, differing: differing.length }, null, 1)}\n`,
  );
}
const wrong = [differing, failed, broken, contradicted];
if (wrong.some((list) => list.length > 0) || !rows.some((row) => row.ran)) process.exitCode = 1;
