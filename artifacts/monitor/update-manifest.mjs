// Brings the entry of the monitor in ../manifest.json up to date with prebuilt/. With --check, changes nothing and
// fails when something would change.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const manifestPath = new URL('../manifest.json', import.meta.url);
const before = readFileSync(manifestPath, 'utf8');
const manifest = JSON.parse(before);
const entry = {
  name: 'monitor',
  path: 'monitor/prebuilt/monitor.elf',
  sha256: createHash('sha256')
    .update(readFileSync(new URL('prebuilt/monitor.elf', import.meta.url)))
    .digest('hex'),
  description: 'Runs TMKs in QEMU: a monitor at EL2 that gives a guest RAM and a command page, and tells what it does',
  source: 'monitor',
  build: 'artifacts/monitor/build.sh',
};
const others = manifest.artifacts.filter((artifact) => artifact.name !== entry.name);
const after = `${JSON.stringify({ version: 1, artifacts: [...others, entry] }, null, 2)}\n`;

if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('artifacts/manifest.json does not match artifacts/monitor/prebuilt; run artifacts/monitor/build.sh');
    process.exitCode = 1;
  }
} else {
  writeFileSync(manifestPath, after);
}
