import { statSync } from 'node:fs';

import pc from 'picocolors';

import { ownManifest } from '../../artifacts/index.ts';
import { PetriError } from '../../errors.ts';
import { prebuiltTmks, tmk } from '../../payload/index.ts';
import type { TmkPayload, TmkTest } from '../../contract/index.ts';
import { harmlessLine, print, printJson } from '../../text/index.ts';
import type { TmkCommandOptions } from './options.ts';

/** `petri tmk list`: the tests in payloads. Continues after an unreadable one, and then fails. */
export function listTmks(names: readonly string[], options: TmkCommandOptions): void {
  const entries = (names.length > 0 ? names : prebuiltTmks()).map(read);
  if (options.json === true) printJson({ payloads: entries.map(toJson) });
  else print(`${entries.map(describe).join('\n\n')}\n`);
  const failures = entries.filter((entry) => 'error' in entry);
  if (failures.length > 0) process.exitCode = 1;
}

type Entry =
  { readonly name: string; readonly payload: TmkPayload } | { readonly name: string; readonly error: PetriError };

function read(name: string): Entry {
  try {
    return { name, payload: tmk(name) };
  } catch (error) {
    if (error instanceof PetriError) return { name, error };
    throw error;
  }
}

function describe(entry: Entry): string {
  if ('error' in entry) return `${pc.bold(entry.name)}  ${pc.red(entry.error.message)}`;
  const { image, path } = entry.payload;
  const facts = [
    `file ${bytes(statSync(path).size)}`,
    `image ${bytes(image.span.end - image.span.start)}`,
    `entry 0x${image.entry.toString(16)}`,
    plural(image.tests.length, 'test'),
  ];
  const description = descriptionOf(entry.name);
  return [
    `${pc.bold(entry.name)}  ${pc.dim(facts.join(', '))}`,
    ...(description === undefined ? [] : [`  ${description}`]),
    ...image.tests.map((test) => `    ${pc.cyan(harmlessLine(test.name))}${notes(test)}`),
  ].join('\n');
}

function notes(test: TmkTest): string {
  const words = flags(test);
  return words.length === 0 ? '' : `  ${pc.yellow(words.join(', '))}`;
}

/** The flags of a test in words. */
export function flags(test: TmkTest): string[] {
  return [...(test.expectedFailure ? ['expected failure'] : []), ...(test.linuxOnly ? ['Linux only'] : [])];
}

function toJson(entry: Entry): object {
  if ('error' in entry) return { name: entry.name, error: { code: entry.error.code, message: entry.error.message } };
  const { name, path, image } = entry.payload;
  return { name, path, description: descriptionOf(name), entry: image.entry, span: image.span, tests: image.tests };
}

function descriptionOf(name: string): string | undefined {
  return ownManifest().artifacts.find((artifact) => artifact.name === `tmk-${name}`)?.description;
}

function bytes(count: number): string {
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
