import { fileURLToPath } from 'node:url';

import { load } from '../../bin/load.mjs';

const { definePetriConfig } = (await load('petri/vitest/config')) as typeof import('../../petri/vitest/config.ts');

export default definePetriConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: {
    alias: [{ find: /^petri-vm$/, replacement: fileURLToPath(new URL('../../petri/index.ts', import.meta.url)) }],
  },
});
