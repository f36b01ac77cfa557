// `npm run lint:house`, before knip: the rules of house.mjs, and no circle of folders. Prints how the house is built.
import { cruise, format } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

import { load } from '../../bin/load.mjs';
import { roomOf, testCode } from './rooms.js';

const { folderGraph } = await load('tools/lint/folder-graph');

const options = await extractOptions('./tools/lint/house.mjs');
const { output } = await cruise(['petri', 'backends', 'tests', 'bench', 'tools'], options, undefined, {
  tsConfig: extractTSConfig('tsconfig.json'),
});
const report = await format(output, { outputType: 'err' });
console.log(report.output.trimEnd());

const isTest = new RegExp(testCode);
const imports = output.modules
  .flatMap(({ source, dependencies }) => dependencies.map(({ resolved }) => ({ from: source, to: resolved })))
  .filter(({ from, to }) => !isTest.test(from) && !isTest.test(to));
const { folders, floors, arrows, circles } = folderGraph(imports, roomOf);
const past = output.summary.violations.filter(({ rule }) => rule.name.startsWith('face-of-')).length;
for (const circle of circles) console.log(`  folders in a circle: ${circle.join(', ')}`);
console.log(
  `${folders} folders on ${floors} floors, ${arrows} arrows between them, ${circles.length} circles, ` +
    `${past} imports past a face\n`,
);
process.exitCode = report.exitCode > 0 || circles.length > 0 ? 1 : 0;
