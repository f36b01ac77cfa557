import { gzipSync } from 'node:zlib';
import { PetriError } from '../../errors.ts';

/** An entry of an initramfs. A leading slash of its path is ignored; missing parent folders are added. */
export type InitramfsEntry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device' | 'block-device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly mode?: number;
    };

export interface InitramfsOptions {
  /** Whether to compress it, which kernels with `CONFIG_RD_GZIP` support. @default false */
  readonly gzip?: boolean;
}

/** File types in a mode: inode(7). */
const types = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  'character-device': 0o020000,
  'block-device': 0o060000,
} as const;

const modes = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  'character-device': 0o600,
  'block-device': 0o600,
} as const;

/** Sizes are 32 bits wide in this format. */
const LARGEST_FILE = 0xffff_ffff;

const TRAILER = 'TRAILER!!!';

/**
 * An initramfs in the `newc` format (Linux, `Documentation/driver-api/early-userspace/buffer-format.rst`). Everything
 * belongs to uid 0 and gid 0 and has time 0, so that the same entries always give the same bytes.
 *
 * @throws PetriError `invalid-option` for paths that clash or are invalid, and for modes and numbers out of range
 */
export function initramfs(entries: readonly InitramfsEntry[], options: InitramfsOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [index, entry] of withFolders(entries).entries()) {
    const content = contentOf(entry);
    const device = 'major' in entry ? entry : { major: 0, minor: 0 };
    parts.push(
      header({
        inode: index + 1,
        mode: types[entry.kind] | modeOf(entry),
        links: entry.kind === 'directory' ? 2 : 1,
        size: content.length,
        major: device.major,
        minor: device.minor,
        name: entry.path,
      }),
      padded(content),
    );
  }
  parts.push(header({ inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0, name: TRAILER }));
  const archive = Buffer.concat(parts);
  // Node writes no name and no time into the gzip header, so the compressed bytes are reproducible too.
  return new Uint8Array(options.gzip === true ? gzipSync(archive, { level: 9 }) : archive);
}

/** The entries with normalised paths, each after its parent folders. */
function withFolders(entries: readonly InitramfsEntry[]): InitramfsEntry[] {
  const all = new Map<string, InitramfsEntry>();
  const given = new Set<string>();
  for (const entry of entries) {
    const path = cleanPath(entry.path);
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) {
      const folder = names.slice(0, depth).join('/');
      const there = all.get(folder);
      if (there === undefined) all.set(folder, { kind: 'directory', path: folder });
      else if (there.kind !== 'directory') throw wrong(entry.path, `${JSON.stringify(folder)} is no folder`);
    }
    const madeOnTheWay = all.get(path)?.kind === 'directory' && entry.kind === 'directory';
    if (given.has(path) || (all.has(path) && !madeOnTheWay)) throw wrong(entry.path, 'it is there already');
    given.add(path);
    // A map keeps the position of an existing key, so a folder stays before its content.
    all.set(path, { ...entry, path });
  }
  return [...all.values()];
}

function cleanPath(path: string): string {
  const clean = path.replace(/^\/+/, '').replace(/\/+$/, '');
  if (clean === TRAILER) throw wrong(path, 'it would end the archive');
  if (clean.split('/').some((name) => ['', '.', '..'].includes(name))) throw wrong(path, "it has '.', '..' or no name");
  if (clean.includes('\0')) throw wrong(path, 'it has a NUL');
  if (Buffer.byteLength(clean) > 4095) throw wrong(path, 'it is too long');
  return clean;
}

function modeOf(entry: InitramfsEntry): number {
  const mode = 'mode' in entry ? (entry.mode ?? modes[entry.kind]) : modes[entry.kind];
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return mode;
  throw wrong(entry.path, `its mode ${String(mode)} is invalid`);
}

function contentOf(entry: InitramfsEntry): Uint8Array {
  switch (entry.kind) {
    case 'file':
      if (entry.content.length > LARGEST_FILE) throw wrong(entry.path, 'it has more than 4 GiB');
      return entry.content;
    case 'symlink':
      if (entry.target === '' || entry.target.includes('\0')) throw wrong(entry.path, 'its target is invalid');
      return Buffer.from(entry.target);
    case 'character-device':
    case 'block-device':
      for (const number of [entry.major, entry.minor]) {
        if (!Number.isInteger(number) || number < 0 || number > LARGEST_FILE) throw wrong(entry.path, 'no such device');
      }
      return new Uint8Array();
    case 'directory':
      return new Uint8Array();
  }
}

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly name: string;
}

function header({ inode, mode, links, size, major, minor, name }: Header): Uint8Array {
  const bytes = Buffer.from(`${name}\0`);
  const owner = [0, 0];
  const time = 0;
  const onDevice = [0, 0];
  const checksum = 0;
  const fields = [inode, mode, ...owner, links, time, size, ...onDevice, major, minor, bytes.length, checksum];
  const text = fields.map((value) => value.toString(16).toUpperCase().padStart(8, '0')).join('');
  return padded(Buffer.concat([Buffer.from(`070701${text}`), bytes]));
}

/** Pads with zeros to a multiple of 4 bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

function wrong(path: string, why: string): PetriError {
  return new PetriError(`${JSON.stringify(path)} cannot go into an initramfs: ${why}`, {
    code: 'invalid-option',
    step: 'artifact',
    remedy: 'give each entry a path, a mode and numbers that Linux accepts',
  });
}
