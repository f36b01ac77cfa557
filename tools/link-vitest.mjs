// Makes `npx vitest` in this repository our bin/vitest.mjs, which knows --backend and --isolation and then runs vitest's own.
// npm runs this after `npm ci` and `npm install` (script `prepare`).
//
// A `bin` called vitest in package.json would do the same, but it would also be in the package, where it would fight
// vitest's own in the projects of our users.
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = new URL('../node_modules/.bin/', import.meta.url);

// Without node_modules, as when npm packs a clone, there is nothing to point at us.
if (existsSync(bin)) {
  const ours = '../../bin/vitest.mjs';
  const link = fileURLToPath(new URL('vitest', bin));
  rmSync(link, { force: true });
  if (process.platform === 'win32') {
    writeFileSync(`${link}.cmd`, `@node "%~dp0\\${ours.replaceAll('/', '\\')}" %*\r\n`);
    rmSync(`${link}.ps1`, { force: true });
  } else {
    symlinkSync(ours, link);
    chmodSync(fileURLToPath(new URL('../bin/vitest.mjs', import.meta.url)), 0o755);
  }
}
