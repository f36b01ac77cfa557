// Makes `npx vitest` in this repository our bin/vitest.mjs, which knows --backend and --isolation and then runs
// vitest's own. npm runs this whenever it has changed node_modules (script `dependencies`).
//
// A `bin` called vitest in package.json would do the same, but it would also be in the package, where it would fight
// vitest's own in the projects of our users.
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = new URL('../node_modules/.bin/', import.meta.url);

// Where only production dependencies are installed there may be nothing to replace.
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
