import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';

/** Debian installs e2fsprogs into folders that are not in an ordinary user's PATH. */
export const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };

/** Makes an empty file system. */
export function makeImage(path: string, bytes: number, ...options: readonly string[]): void {
  truncateSync(path, 0);
  truncateSync(path, bytes);
  execFileSync('mke2fs', ['-q', '-F', ...options, path], { env: environment });
}

/** Runs commands of debugfs. @returns what it prints */
export function debugfs(image: string, ...commands: readonly string[]): string {
  return execFileSync('debugfs', ['-w', '-f', '-', image], {
    env: environment,
    input: `${commands.join('\n')}\n`,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}
