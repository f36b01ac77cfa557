import { load } from '../bin/load.mjs';

const [name = 'main', ...args] = process.argv.slice(2);
const { main } = await load(`bench/${name.startsWith('-') ? 'main' : name}`);
await main(...(name.startsWith('-') ? [name, ...args] : args));
