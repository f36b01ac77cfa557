import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { optionalTool } from '../../../petri/unit-test/optional-tool.ts';

const install = fileURLToPath(new URL('../../../tests/stand-ins/fvp/install.mjs', import.meta.url));

/** Whether the stand-in for the FVP can run here. */
export function standInWorks(): boolean {
  const tools = [
    optionalTool('debugfs', 'e2fsprogs'),
    optionalTool('script', 'bsdutils'),
    optionalTool('setpriv', 'util-linux'),
  ];
  return process.platform === 'linux' && tools.every((tool) => tool !== undefined);
}

/** Installs it into a folder, as `petri cca install` would install the real stack. */
export function installStandIn(folder: string, ...options: readonly string[]): void {
  execFileSync(process.execPath, [install, folder, ...options], { stdio: 'ignore' });
}
