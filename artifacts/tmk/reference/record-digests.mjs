// Writes the digests of instruction forms into their sources, as QEMU gives them: record-digests.mjs PAYLOAD FIRST_TEST LAST_TEST
//
// Builds the payload, runs each test on the reference machine, and changes every line that the run told to be different. What
// is written is what QEMU does: look at the difference before it is committed.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [payload, first, last] = process.argv.slice(2);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const count = String(Number(last) - Number(first) + 1);
const run = spawnSync(join(root, 'reference/run.sh'), [join(root, 'prebuilt', `${payload}.elf`), first, count], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
});
console.log(run.stdout.match(/^(COMPLETE|PANIC|FAULT).*/gm)?.join('\n'));
const changes = new Map();
for (const [, file, line, digest] of run.stdout.matchAll(/LOG (\S+):(\d+): digest (0x[0-9a-f]+), expected/g)) {
  if (!changes.has(file)) changes.set(file, new Map());
  changes.get(file).set(Number(line), digest);
}
for (const [file, digests] of changes) {
  const path = join(root, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [line, digest] of digests)
    lines[line - 1] = lines[line - 1].replace(/, (0x)?[0-9a-f]+\);$/, `, ${digest});`);
  writeFileSync(path, lines.join('\n'));
  console.log(`${file}: ${digests.size} digests`);
}
