import { isAbsolute, resolve } from 'node:path';
import { PetriError } from '../errors.ts';
import { identify, verifyDigest } from './digest.ts';
import { artifactPath, ownManifest, type Artifact, type Manifest } from './manifest.ts';

export interface ResolvedArtifact {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Who said where it is. Only files of the repository are compared with the digest in the manifest. */
  readonly from: 'environment' | 'path' | 'repository';
}

export interface ResolveOptions {
  /** A file to use instead of the repository's. */
  readonly path?: string;
  /** @default the manifest of this package */
  readonly manifest?: Manifest;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The environment variable that names a file to use for an artifact: PETRI_ARTIFACT_TMK_HELLO for `tmk-hello`. */
export function artifactVariable(name: string): string {
  return `PETRI_ARTIFACT_${name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Finds an artifact: through its environment variable, else at the path given, else in the repository or installed
 * package, where its digest is verified.
 *
 * @throws PetriError `artifact-missing`, `artifact-digest`
 */
export function resolveArtifact(name: string, options: ResolveOptions = {}): ResolvedArtifact {
  const variable = artifactVariable(name);
  const fromEnvironment = (options.env ?? process.env)[variable];
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return given(name, fromEnvironment, 'environment', `${variable} names it`);
  }
  if (options.path !== undefined) return given(name, options.path, 'path', 'the path was given');
  const manifest = options.manifest ?? ownManifest();
  const artifact = manifest.artifacts.find((candidate) => candidate.name === name);
  if (artifact === undefined) throw undeclared(name, manifest);
  const path = artifactPath(manifest, artifact);
  if (identify(path) === undefined) throw notBuilt(artifact, path, variable);
  verifyDigest(path, artifact.sha256, `restore the file, or make it again with: ${artifact.build}`);
  return { name, path, from: 'repository' };
}

function given(name: string, path: string, from: 'environment' | 'path', because: string): ResolvedArtifact {
  const absolute = isAbsolute(path) ? path : resolve(path);
  if (identify(absolute) !== undefined) return { name, path: absolute, from };
  throw new PetriError(`artifact '${name}': ${absolute} is not a file (${because})`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy: 'correct the path, or leave it out to use the one in the repository',
  });
}

function undeclared(name: string, manifest: Manifest): PetriError {
  const names = manifest.artifacts.map((artifact) => artifact.name).join(', ');
  return new PetriError(`there is no artifact '${name}'`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy: `name one of: ${names}; or set ${artifactVariable(name)} to a file`,
  });
}

function notBuilt(artifact: Artifact, path: string, variable: string): PetriError {
  return new PetriError(`artifact '${artifact.name}' is missing: there is no ${path}`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy: `make it with: ${artifact.build}; or set ${variable} to a file`,
  });
}
