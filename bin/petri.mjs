#!/usr/bin/env node
import { load } from './load.mjs';

const { main } = await load('petri/cli/main');
await main(process.argv.slice(2));
