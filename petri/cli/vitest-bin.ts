/**
 * vitest's command line with `--backend` and `--isolation`; importing this module runs it. A project whose
 * `package.json` has `"bin": { "vitest": "./vitest.mjs" }` makes `npx vitest --backend=…` its own with a `vitest.mjs`
 * of two lines:
 *
 * ```js
 * #!/usr/bin/env node
 * import 'petri-vm/vitest';
 * ```
 */
import { vitestMain } from './run-vitest.ts';

await vitestMain(process.argv.slice(2));
