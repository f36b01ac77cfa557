import { existsSync } from 'node:fs';

/**
 * Folder of the package `petri-vm`, as a URL that ends in a slash: `petri/` and `dist/petri/` are not equally deep
 * below it.
 */
export const packageRoot: URL = findPackageRoot();

function findPackageRoot(): URL {
  const above = ['../', '../../'].map((path) => new URL(path, import.meta.url));
  const root = above.find((folder) => existsSync(new URL('package.json', folder)));
  if (root === undefined) throw new Error(`no package.json above ${import.meta.url}`);
  return root;
}
