import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PetriError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';

const artifactSchema = z.strictObject({
  /** What tests call it: lower case, digits and dashes. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and dashes'),
  /** Relative to the manifest. */
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'),
  description: z.string().min(1),
  /** What it is made from, relative to the manifest. */
  source: z.string().min(1),
  /** The command that makes it, to be run in the folder that holds the manifest's folder. */
  build: z.string().min(1),
});

const manifestSchema = z.strictObject({
  version: z.literal(1),
  artifacts: z.array(artifactSchema).refine((all) => new Set(all.map((one) => one.name)).size === all.length, {
    message: 'two artifacts have the same name',
  }),
});

/** One file that tests may need, as the manifest declares it. */
export type Artifact = Readonly<z.infer<typeof artifactSchema>>;

export interface Manifest {
  /** Absolute path of the manifest itself. */
  readonly path: string;
  readonly artifacts: readonly Artifact[];
}

/** @throws PetriError `artifact-missing` without the file, `invalid-config` for one that does not follow the schema */
export function readManifest(path: string): Manifest {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new PetriError(`the artifact manifest ${path} cannot be read`, {
      code: 'artifact-missing',
      step: 'artifact',
      remedy: 'restore the file, or install the package again',
      cause: error,
    });
  }
  const parsed = manifestSchema.safeParse(parseJson(text, path));
  if (!parsed.success) throw malformed(path, z.prettifyError(parsed.error), parsed.error);
  return { path, artifacts: parsed.data.artifacts };
}

export function artifactPath(manifest: Manifest, artifact: Artifact): string {
  return resolve(dirname(manifest.path), artifact.path);
}

let packageManifest: Manifest | undefined;

/** The manifest of this package, read once. */
export function ownManifest(): Manifest {
  return (packageManifest ??= readManifest(join(artifactsFolder(), 'manifest.json')));
}

/** The package's `artifacts/` folder. */
export function artifactsFolder(): string {
  return fileURLToPath(new URL('artifacts', packageRoot));
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(path, String(error), error);
  }
}

function malformed(path: string, problem: string, cause: unknown): PetriError {
  return new PetriError(`the artifact manifest ${path} is malformed: ${problem}`, {
    code: 'invalid-config',
    step: 'artifact',
    remedy: 'correct it; artifacts/tmk/build.sh writes the entries of the TMK payloads',
    cause,
  });
}
