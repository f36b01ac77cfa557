import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Path of a program that a test needs and a developer's machine may lack; undefined where it is not installed, for
 * `it.skipIf`. Where tools are required (`PETRI_REQUIRE_TOOLS=1`, or `CI` set) its absence is an error instead: a test
 * that nothing runs proves nothing.
 *
 * @param debianPackage what to install to have it
 */
export function optionalTool(program: string, debianPackage: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.map((folder) => join(folder, program)).find(isExecutable);
  if (found === undefined && toolsAreRequired()) {
    throw new Error(`${program} is required here and not installed: apt-get install ${debianPackage}`);
  }
  return found;
}

/** As `optionalTool`, of a file at a fixed place. */
export function optionalFile(path: string, debianPackage: string): string | undefined {
  if (existsSync(path)) return path;
  if (toolsAreRequired()) throw new Error(`${path} is required here but missing: apt-get install ${debianPackage}`);
  return undefined;
}

/** Whether a test must fail rather than be skipped when something it needs is not there. */
export function toolsAreRequired(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return isSet(environment['PETRI_REQUIRE_TOOLS']) || isSet(environment['CI']);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
