import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';

/** Variables that tie shrinkwrap to this stack, instead of to the home directory that all stacks share. */
export function shrinkwrapEnvironment(layout: StackLayout): Record<string, string> {
  return {
    SHRINKWRAP_BUILD: layout.build,
    SHRINKWRAP_PACKAGE: layout.package,
    SHRINKWRAP_CONFIG: layout.overlays,
  };
}

/** shrinkwrap's name for the configuration, which its folders have: the file's without the ending. */
export function configName(lock: LockFile): string {
  return lock.shrinkwrap.config.replace(/^.*\//, '').replace(/\.yaml$/, '');
}
