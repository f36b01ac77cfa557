import pc from 'picocolors';

import type { Missing } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import {
  cacheHome,
  cacheVariable,
  type Home,
  makeFallbackRoot,
  requireUsable,
  runsHome,
  runsVariable,
  stateHome,
  stateVariable,
  temporaryHome,
} from '../homes/index.ts';
import { harmlessLine } from '../text/index.ts';

/** A folder that runs write to, or why it is unusable. */
export type FolderReport = Home | { readonly missing: Missing };

/** By its purpose. */
export type FolderReports = Readonly<Record<keyof typeof variables, FolderReport>>;

const variables = { state: stateVariable, cache: cacheVariable, runs: runsVariable, temporary: 'TMPDIR' } as const;

/** Checks the folders that runs use. Creates only the folder that replaces others. */
export function lookAtFolders(cwd: string): FolderReports {
  return {
    state: look('state', stateHome),
    cache: look('cache', cacheHome),
    runs: look('runs', () => runsHome(cwd)),
    temporary: look('temporary', () => ({
      path: temporaryHome(),
      from: (process.env['TMPDIR'] ?? '') === '' ? 'default' : 'TMPDIR',
    })),
  };
}

function look(name: keyof typeof variables, find: () => Home): FolderReport {
  try {
    const home = find();
    makeFallbackRoot(home.path);
    requireUsable('the folder', home.path, `let ${variables[name]} name a folder that can be written to`);
    return home;
  } catch (error) {
    if (!(error instanceof PetriError)) throw error;
    const [what = ''] = error.message.split('\n');
    return { missing: { what, remedy: error.remedy ?? '' } };
  }
}

export function describeFolders(folders: FolderReports): string[] {
  return Object.entries(variables).flatMap(([name, variable]) => {
    const folder = folders[name as keyof FolderReports];
    const title = `  ${name.padEnd(9)}`;
    if ('missing' in folder) {
      return [
        `${title} ${pc.yellow('missing')}: ${harmlessLine(folder.missing.what)}`,
        `            remedy:  ${harmlessLine(folder.missing.remedy)}`,
      ];
    }
    const from = folder.from === 'default' || folder.from === 'fallback' ? '' : pc.dim(` (${folder.from})`);
    const lines = [`${title} ${harmlessLine(folder.path)}${from}`];
    if (folder.because === undefined) return lines;
    return [
      ...lines,
      `            ${pc.yellow('instead of the usual one')}: ${harmlessLine(folder.because)}; ${variable} names another`,
    ];
  });
}
