// A process for one thing: `alone N` runs a case; `schedules SEED COUNT` some schedules, given what cases come to alone
// on stdin.
import { text } from 'node:stream/consumers';

import { load } from '../../../../bin/load.mjs';

const [command, ...numbers] = process.argv.slice(2);
const { runAlone, runSchedules } = await load('backends/sim/vm/testing/schedules');
const [first, second] = numbers.map(Number);
const result =
  command === 'alone'
    ? await runAlone(first)
    : await runSchedules(first, second, JSON.parse(await text(process.stdin)));
console.log(JSON.stringify(result));
