// Writes the digests of instruction forms into their sources, as QEMU gives them: record-digests.mjs PAYLOAD
//
// Builds the payload, runs its tests in QEMU, and changes every line that a test told to be different. What is written
// is what QEMU does: look at the difference before it is committed.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [payload] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
spawnSync(join(here, 'build.sh'), { stdio: 'inherit' });
const petri = join(here, '../../bin/petri.mjs');
const command = [petri, 'tmk', 'run', payload, '--backend=qemu', '--isolation=none'];
const run = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 2 ** 28 });
console.log(run.stdout.match(/^ *(ok|FAIL) .*/gm)?.join('\n') ?? run.stderr);
const changes = new Map();
for (const [, file, line, digest] of run.stdout.matchAll(/ (\S+):(\d+): digest (0x[0-9a-f]+), expected/g)) {
  if (!changes.has(file)) changes.set(file, new Map());
  changes.get(file).set(Number(line), digest);
}
for (const [file, digests] of changes) {
  const path = join(here, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [line, digest] of digests)
    lines[line - 1] = lines[line - 1].replace(/, (0x)?[0-9a-f]+\);$/, `, ${digest});`);
  writeFileSync(path, lines.join('\n'));
  console.log(`${file}: ${digests.size} digests`);
}
