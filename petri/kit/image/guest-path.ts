import { PetriError } from '../../errors.ts';

/** Bytes of a name, and of a path, that Linux accepts (`NAME_MAX`, and a quarter of `PATH_MAX`). */
const LONGEST_NAME = 255;
const LONGEST_PATH = 1024;

/**
 * The folders on the way to a path in an image, outermost first, and the path's last name.
 *
 * @throws PetriError `invalid-option` for a path that is relative, not normalised or has invalid characters
 */
export function splitGuestPath(path: string): { readonly folders: readonly string[]; readonly name: string } {
  const names = path.split('/').slice(1);
  const fault = faultOf(path, names);
  if (fault !== undefined) {
    throw new PetriError(`${JSON.stringify(path)} cannot be a path in an image: ${fault}`, {
      code: 'invalid-option',
      step: 'artifact',
      remedy: "give an absolute path such as '/cca/payload', without '.' and '..'",
    });
  }
  const folders = names.slice(0, -1).map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
  return { folders, name: names.at(-1) ?? '' };
}

function faultOf(path: string, names: readonly string[]): string | undefined {
  if (!path.startsWith('/')) return 'it is not absolute';
  if (names.includes('')) return 'a name in it is empty';
  if (names.includes('.') || names.includes('..')) return "it goes through '.' or '..'";
  // Control characters would end a command of debugfs; half of a surrogate pair cannot be encoded in UTF-8.
  if (/\p{Cc}|\p{Cs}/u.test(path)) return 'it has control characters or invalid characters';
  if (names.some((name) => Buffer.byteLength(name) > LONGEST_NAME)) {
    return `a name in it has more than ${String(LONGEST_NAME)} bytes`;
  }
  return Buffer.byteLength(path) > LONGEST_PATH ? `it has more than ${String(LONGEST_PATH)} bytes` : undefined;
}
