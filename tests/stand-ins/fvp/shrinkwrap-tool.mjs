#!/usr/bin/env node
import { load } from '../../../bin/load.mjs';

const { main } = await load('tests/stand-ins/fvp/shrinkwrap/main');
await main(process.argv.slice(2));
