import { load } from '../bin/load.mjs';

const { main } = await load('bench/fuzz');
main(process.argv.slice(2));
