import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { load } from '../bin/load.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['artifacts', 'backends', 'bench', 'bin', 'petri', 'tests', 'tools'];

/** `const { names } = await load('path')` of plain JavaScript, which no type check sees. */
const LOAD = /\bconst \{([^}]*)\} = await load\('([^']+)'\)/g;

const loads = folders
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .filter((file) => file.endsWith('.mjs'))
  .flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(LOAD)].map(([, names = '', path = '']) => ({
      file,
      path,
      names: names.split(',').map((name) => name.split(':')[0]?.trim() ?? ''),
    })),
  );

it('finds what scripts load', () => {
  expect(loads.length).toBeGreaterThan(5);
});

it.each(loads)('$file loads $names from $path, which has them', async ({ path, names }) => {
  expect(Object.keys((await load(path)) as object)).toEqual(
    expect.arrayContaining(names.filter((name) => name !== '')),
  );
});
