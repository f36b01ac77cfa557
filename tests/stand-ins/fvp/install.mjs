#!/usr/bin/env node
// node tests/stand-ins/fvp/install.mjs FOLDER [--runtime=docker]: makes a folder that PETRI_CCA_ROOT can name.
import { load } from '../../../bin/load.mjs';

const { main } = await load('tests/stand-ins/fvp/install');
await main(process.argv.slice(2));
