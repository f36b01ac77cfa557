// Brings the TMK entries of ../manifest.json up to date with prebuilt/: digests, and an entry for each new payload,
// described by the first line of its source. With --check, changes nothing and fails when something would change.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const manifestPath = join(here, '..', 'manifest.json');
const before = existsSync(manifestPath) ? readFileSync(manifestPath, 'utf8') : '{"version":1,"artifacts":[]}';
const manifest = JSON.parse(before);

const others = manifest.artifacts.filter((artifact) => !artifact.path.startsWith('tmk/prebuilt/'));
const payloads = readdirSync(join(here, 'payloads')).sort();
const entries = payloads.map((file) => {
  const payload = file.replace(/\.c$/, '');
  const name = `tmk-${payload}`;
  return {
    name,
    path: `tmk/prebuilt/${payload}.elf`,
    sha256: createHash('sha256')
      .update(readFileSync(join(here, 'prebuilt', `${payload}.elf`)))
      .digest('hex'),
    description: describe(join(here, 'payloads', file)),
    source: `tmk/payloads/${file}`,
    build: 'artifacts/tmk/build.sh',
  };
});
const after = `${JSON.stringify({ version: 1, artifacts: [...entries, ...others] }, null, 2)}\n`;

if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('artifacts/manifest.json does not match artifacts/tmk/prebuilt; run artifacts/tmk/build.sh');
    process.exitCode = 1;
  }
} else {
  writeFileSync(manifestPath, after);
}

/** The first sentence of the comment that a source starts with. */
function describe(source) {
  const main = statSync(source).isDirectory() ? join(source, 'main.c') : source;
  const comment = /^\/\*\s*([\s\S]*?)\*\//.exec(readFileSync(main, 'utf8'))?.[1] ?? '';
  const text = comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim();
  return /^.*?(?=\.( |$))/.exec(text)?.[0] ?? text;
}
