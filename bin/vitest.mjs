#!/usr/bin/env node
// vitest, with --backend and --isolation. `npm ci` in this repository puts it where `npx vitest` looks: see
// tools/link-vitest.mjs. It is not part of the package.
import { load } from './load.mjs';

await load('petri/cli/vitest-bin');
