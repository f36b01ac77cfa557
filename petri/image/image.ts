import type { Missing } from '../backend.ts';
import type {
  CopyReport,
  DeriveImageOptions,
  DerivedImage,
  ImageOptions,
  InjectedFile,
  InjectedFileReport,
} from './types.ts';

/**
 * An image with files added, made from another that is not touched: copied, its journal replayed, grown where it is too
 * small, filled, checked, and only then given its name.
 *
 * @throws PetriError `image-invalid`, `image-full`, `invalid-option`, `tool-missing`, `tool-failed`
 */
export function deriveImage(options: DeriveImageOptions): Promise<DerivedImage> {
  return notYet(options);
}
/** Copies an image: a reflink where the file system has them, else without its zeros. `target` appears complete or not at all. */
export function copyImage(source: string, target: string, options: ImageOptions = {}): Promise<CopyReport> {
  return notYet(source, target, options);
}
/** Makes the file system of an image at least `bytes` long. One that is longer stays as it is. Returns its length. */
export function growImage(image: string, bytes: number, options: ImageOptions = {}): Promise<number> {
  return notYet(image, bytes, options);
}
/** Puts files into an image, in place. When it throws, the image is not to be used. */
export function injectFiles(
  image: string,
  files: readonly InjectedFile[],
  options: ImageOptions = {},
): Promise<readonly InjectedFileReport[]> {
  return notYet(image, files, options);
}
/** Checks that an image is an ext4 file system without errors. Changes nothing. */
export function checkImage(image: string, options: ImageOptions = {}): Promise<void> {
  return notYet(image, options);
}
/** Reads a file of an image into a file here, which appears complete or not at all. Returns its length. */
export function extractFile(image: string, path: string, target: string, options: ImageOptions = {}): Promise<number> {
  return notYet(image, path, target, options);
}
/** What keeps images from being changed on this host, with the Debian package to install. */
export function probeImageTools(): Promise<Missing[]> {
  return notYet();
}

function notYet(...args: readonly unknown[]): Promise<never> {
  return Promise.reject(new Error(`not there yet: ${String(args.length)}`));
}
