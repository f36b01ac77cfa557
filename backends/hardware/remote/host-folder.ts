import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { PetriError } from '../../../petri/errors.ts';
import { packageRoot } from '../../../petri/package-root.ts';
import type { RemoteHost } from '../ssh/remote-host.ts';

/** Days after which an unused upload is removed, and minutes for an incomplete one. */
const EXPIRY = { file: '14', part: '60' };

/**
 * Programs run from this folder, so only we may write to it, and only root and we may replace it. Folders above it may
 * be writable by others if they are sticky, and by the user's own group.
 */
const makeFolders = `
umask 077
mkdir -p -- "$1/files" "$1/launches" && cd -P "$1" || exit 1
file_days=$2 part_minutes=$3 uid=$(id -u) gid=$(id -g)
unsafe() { echo "unsafe $1"; exit 1; }
look() { [ "$1" != . ] || set -- "$PWD"; folder=$1; set -- $(ls -ldn "$1/"); mode=$1 owner=$3 group=$4; }
for one in . files launches; do
  [ -L "$one" ] && unsafe "$PWD/$one"
  look "$one"
  case $mode in d????-??-*) ;; *) unsafe "$folder" ;; esac
  [ "$owner" = "$uid" ] || unsafe "$folder"
done
above=$PWD
while [ -n "$above" ]; do
  above=\${above%/*}
  look "$above"
  [ "$owner" = 0 ] || [ "$owner" = "$uid" ] || unsafe "$above/"
  case $mode in
  d????????[tT]* | d????-??-*) ;;
  d???????-*) [ "$group" = "$gid" ] || unsafe "$above/" ;;
  *) unsafe "$above/" ;;
  esac
done
echo "folder $PWD"
find files -type f ! -name "*.part-*" -mtime "+$file_days" -exec rm -f {} +
find files -type f -name "*.part-*" -mmin "+$part_minutes" -exec rm -f {} +`;
const checkFile =
  '[ -f "$1" ] || exit 1; sum=$(sha256sum <"$1") && [ "${sum%% *}" = "$2" ] || { rm -f "$1"; exit 1; }; touch "$1"';
/** An upload is complete if length and digest match: a cut connection also ends the input. */
const storeFile = `
umask 077
part=$1 digest=$2 path=$3 mode=$4 size=$5
give_up() { rm -f "$part"; echo "$1" >&2; exit 1; }
cat >"$part" || give_up "it could not be written"
got=$(wc -c <"$part")
[ "$got" -eq "$size" ] || give_up "$got bytes of it arrived"
sum=$(sha256sum <"$part")
[ "\${sum%% *}" = "$digest" ] || give_up "its digest is wrong"
chmod "$mode" "$part" && mv -f "$part" "$path" || give_up "it could not be kept"`;

/** Our folder on a host: `files` by their digest, `launches` by their name. */
export class HostFolder {
  readonly path: string;
  readonly #host: RemoteHost;
  readonly #stored = new Map<string, Promise<string>>();
  readonly #scripts = new Map<string, Promise<string>>();

  private constructor(host: RemoteHost, path: string) {
    this.#host = host;
    this.path = path;
  }

  /**
   * Makes the folder if necessary, and removes expired files.
   *
   * @throws PetriError `upload-failed`, and what running a program throws
   */
  static async open(host: RemoteHost): Promise<HostFolder> {
    const wanted = host.config.folder ?? '.cache/petri-vm';
    const argv = ['sh', '-c', makeFolders, 'sh', wanted, EXPIRY.file, EXPIRY.part];
    const { code, stdout, stderr } = await host.run(argv, { again: true });
    const path = /^folder (\/.*)$/m.exec(stdout)?.[1];
    if (code !== 0 || path === undefined) {
      const unsafe = /^unsafe (.*)$/m.exec(stdout)?.[1];
      const why = unsafe === undefined ? 'cannot be made' : `is not ours alone: other users can write to ${unsafe}`;
      throw failed(host, `the folder ${wanted} ${why}`, stderr, 'name another as `folder` in the hosts file');
    }
    return new HostFolder(host, path);
  }

  /** Path of a script of ours on the host. */
  async script(name: 'launch.sh' | 'lease.sh' | 'probe.sh' | 'share.sh'): Promise<string> {
    let script = this.#scripts.get(name);
    if (script === undefined) {
      script = this.put(new URL(`artifacts/hardware/${name}`, packageRoot), { mode: '700' });
      this.#scripts.set(name, script);
      script.catch(() => this.#scripts.delete(name));
    }
    return await script;
  }

  /**
   * Uploads a file unless the host already has its content. @returns its path there
   *
   * @throws PetriError `artifact-missing`, `upload-failed`, `connection-failed`
   */
  async put(source: string | URL | Uint8Array, { mode = '600' }: { readonly mode?: string } = {}): Promise<string> {
    const content = source instanceof Uint8Array ? source : await read(source);
    const digest = createHash('sha256').update(content).digest('hex');
    let storing = this.#stored.get(digest);
    if (storing === undefined) {
      storing = this.#store(content, digest, mode);
      this.#stored.set(digest, storing);
      storing.catch(() => this.#stored.delete(digest));
    }
    return await storing;
  }

  async #store(content: Uint8Array, digest: string, mode: string): Promise<string> {
    const path = `${this.path}/files/${digest}`;
    const there = await this.#host.run(['sh', '-c', checkFile, 'sh', path, digest], { again: true });
    if (there.code === 0) return path;
    try {
      await this.#upload(content, digest, path, mode);
    } catch (error) {
      if (!(error instanceof PetriError) || error.code !== 'connection-failed') throw error;
      // The connection broke during the upload; the incomplete file expires.
      await this.#upload(content, digest, path, mode);
    }
    return path;
  }

  async #upload(content: Uint8Array, digest: string, path: string, mode: string): Promise<void> {
    const part = `${path}.part-${randomBytes(8).toString('hex')}`;
    const argv = ['sh', '-c', storeFile, 'sh', part, digest, path, mode, String(content.length)];
    const stored = await this.#host.run(argv, { input: content });
    if (stored.code !== 0) throw await this.#explain(part, content.length, new Error(stored.stderr.trim()));
  }

  /** The error for a file that could not be written, with the free space. */
  async #explain(part: string, size: number, failure: Error): Promise<PetriError> {
    const script = 'rm -f "$1"; df -Pk "$2" | tail -n 1';
    const { stdout } = await this.#host.run(['sh', '-c', script, 'sh', part, this.path], { again: true });
    const free = Number(stdout.trim().split(/\s+/)[3]) * 1024;
    const what = `a file of ${String(size)} bytes cannot be brought to ${this.#host.name}`;
    if (free < size + 65_536) {
      return failed(
        this.#host,
        `${what}: its disk is full, ${String(free)} bytes are free in ${this.path}`,
        '',
        'make room there, or name another `folder` in the hosts file',
      );
    }
    return failed(this.#host, what, failure.message, `look whether ${this.path} can be written to`);
  }
}

function failed(host: RemoteHost, message: string, detail: string, remedy: string): PetriError {
  const why = detail.trim().split('\n').slice(-3).join('; ');
  return new PetriError(`${host.name}: ${message}${why === '' ? '' : `: ${why}`}`, {
    code: 'upload-failed',
    step: 'launch',
    remedy,
  });
}

async function read(source: string | URL): Promise<Uint8Array> {
  try {
    return await readFile(source);
  } catch (error) {
    throw new PetriError(
      `${String(source)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: 'artifact-missing',
        step: 'artifact',
        remedy: 'check that the file exists',
        cause: error,
      },
    );
  }
}
