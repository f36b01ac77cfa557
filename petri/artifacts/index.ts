export { identify, sameFile, sha256Of, type FileIdentity } from './digest.ts';
export { artifactPath, artifactsFolder, ownManifest, readManifest, type Artifact, type Manifest } from './manifest.ts';
export { artifactVariable, resolveArtifact, type ResolvedArtifact, type ResolveOptions } from './resolve.ts';
