import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  artifactVariable,
  identify,
  ownManifest,
  resolveArtifact,
  sameFile,
  type FileIdentity,
} from '../artifacts/index.ts';
import { PetriError } from '../errors.ts';
import { checkArgument, checkOptions, text } from '../options/index.ts';
import { ElfFile } from '../elf/index.ts';
import type { TmkPayload, TmkImage } from '../contract/index.ts';
import { findTest, readTmk } from '../tmk/index.ts';

const ARTIFACT_PREFIX = 'tmk-';

/** Debug builds of real TMKs have a few megabytes. */
const MAX_FILE_BYTES = 256 * 2 ** 20;

/** Options of `tmk()`. */
export interface TmkOptions {
  /** The test of the TMK to boot: its full name, or its part after `::`. @default the only one */
  readonly test?: string;
}

/**
 * A TMK to boot, read and checked at once, so that errors are reported while tests are collected.
 *
 * @param name a prebuilt payload such as `hello` (see `petri tmk list`), or the path of an ELF file: anything that
 *   contains a slash or ends in `.elf`
 * @throws PetriError `artifact-missing`, `artifact-digest`, `elf-invalid`, `elf-unsupported`, `tmk-invalid`,
 *   `payload-too-large`, `tmk-test-unknown`, `tmk-test-ambiguous`
 */
export function tmk(name: string, options: TmkOptions = {}): TmkPayload {
  checkArgument('tmk()', 'name', name, text);
  checkOptions('tmk()', options, { test: text });
  const path = isPath(name) ? resolve(name) : resolvePrebuilt(name);
  const { elf, image } = loadTmk(path);
  const payload = { kind: 'tmk' as const, name, path, elf, image };
  return options.test === undefined ? payload : { ...payload, test: findTest(image, name, options.test).name };
}

/** Names of prebuilt payloads. */
export function prebuiltTmks(): readonly string[] {
  return ownManifest()
    .artifacts.map((artifact) => artifact.name)
    .filter((name) => name.startsWith(ARTIFACT_PREFIX))
    .map((name) => name.slice(ARTIFACT_PREFIX.length));
}

function isPath(name: string): boolean {
  return name.includes('/') || name.includes('\\') || name.endsWith('.elf');
}

function resolvePrebuilt(name: string): string {
  const artifact = ARTIFACT_PREFIX + name;
  const variable = artifactVariable(artifact);
  const names = prebuiltTmks();
  if (names.includes(name) || (process.env[variable] ?? '') !== '') return resolveArtifact(artifact).path;
  throw new PetriError(`there is no TMK payload '${name}'`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy:
      `name one of: ${names.join(', ')}; or a path of an ELF file, such as ./${name}.elf ` +
      `('petri tmk build ${name}.c' makes one); or set ${variable} to a file`,
  });
}

interface LoadedTmk {
  readonly identity: FileIdentity;
  readonly elf: ElfFile;
  readonly image: TmkImage;
}

const loaded = new Map<string, LoadedTmk>();

/** Parses each file once per process, unless it changes. */
function loadTmk(path: string): LoadedTmk {
  const identity = identify(path);
  if (identity === undefined) {
    throw new PetriError(`there is no file ${path}`, {
      code: 'artifact-missing',
      step: 'payload',
      remedy: `correct the path, or name one of the prebuilt payloads: ${prebuiltTmks().join(', ')}`,
    });
  }
  const known = loaded.get(path);
  if (known !== undefined && sameFile(identity, known.identity)) return known;
  if (identity.size > MAX_FILE_BYTES) {
    throw new PetriError(`${path} has ${identity.size} bytes, expected at most ${MAX_FILE_BYTES}`, {
      code: 'payload-too-large',
      step: 'payload',
      remedy: 'strip debug information from the file',
    });
  }
  const elf = new ElfFile(readFileSync(path), basename(path));
  const fresh = { identity, elf, image: readTmk(elf) };
  loaded.set(path, fresh);
  return fresh;
}
