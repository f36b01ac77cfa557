import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { transformSync } from 'rolldown/utils';

/** Loads TypeScript where Node does not strip types itself (before 22.18). */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return await nextLoad(url, context);
  const path = fileURLToPath(url);
  const { code, errors } = transformSync(path, await readFile(path, 'utf8'), { sourcemap: false });
  if (errors[0] !== undefined) throw errors[0];
  return { format: 'module', source: code, shortCircuit: true };
}
