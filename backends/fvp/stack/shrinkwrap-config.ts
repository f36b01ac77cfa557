import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';

/** Variables that make shrinkwrap use this stack instead of the folders in HOME that all stacks share. */
export function shrinkwrapEnvironment(layout: StackLayout): Record<string, string> {
  return {
    SHRINKWRAP_BUILD: layout.build,
    SHRINKWRAP_PACKAGE: layout.package,
    SHRINKWRAP_CONFIG: layout.overlays,
  };
}

/** shrinkwrap's name for the configuration and its folders: the file name without extension. */
export function configName(lock: LockFile): string {
  return lock.shrinkwrap.config.replace(/^.*\//, '').replace(/\.yaml$/, '');
}
