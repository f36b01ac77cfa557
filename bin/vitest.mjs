#!/usr/bin/env node
// vitest, with --backend and --isolation. `npm ci` in this repository puts it where `npx vitest` looks: see
// tools/link-vitest.mjs. It is not part of the package.
import { load } from './load.mjs';

const { vitestMain } = await load('petri/cli/run-vitest');
await vitestMain(process.argv.slice(2));
