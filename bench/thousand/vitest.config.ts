import { fileURLToPath } from 'node:url';

// The package as users have it, which `npm run bench` builds first.
const { definePetriConfig } = (await import(
  new URL('../../dist/petri/vitest/config.js', import.meta.url).href
)) as typeof import('../../petri/vitest/config.ts');

export default definePetriConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: {
    alias: [{ find: /^petri-vm$/, replacement: fileURLToPath(new URL('../../dist/petri/index.js', import.meta.url)) }],
  },
  test: { server: { deps: { external: [/\/dist\//] } } },
});
