import { symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Supervisor } from '../process/index.ts';
import { runTool, type ImageTool, type ToolRun } from './tools.ts';

/** The image's name in a workspace. */
export const IMAGE = 'image';

/**
 * A temporary folder in which tools run. Files are accessed through symbolic links with plain names, so that no name of
 * a user's file - with spaces, quotes, line ends, or the `?` and `=` that e2fsprogs interprets - is ever parsed.
 */
export class Workspace {
  readonly path: string;
  readonly #signal: AbortSignal | undefined;
  #count = 0;

  private constructor(path: string, signal: AbortSignal | undefined) {
    this.path = path;
    this.#signal = signal;
  }

  /** Calls `use` with a workspace for an image, and removes it. */
  static async with<T>(
    image: string,
    signal: AbortSignal | undefined,
    use: (workspace: Workspace) => Promise<T>,
  ): Promise<T> {
    const supervisor = await Supervisor.open();
    const folder = await supervisor.temporaryFolder('image');
    try {
      await symlink(resolve(image), join(folder.path, IMAGE));
      return await use(new Workspace(folder.path, signal));
    } finally {
      await folder.remove();
    }
  }

  /** Makes a plain name for a file elsewhere, which need not exist yet. */
  async link(path: string): Promise<string> {
    const name = this.#name('link');
    await symlink(resolve(path), join(this.path, name));
    return name;
  }

  /** Makes a file with a plain name and some content. */
  async file(content: string | Uint8Array): Promise<string> {
    const name = this.#name('file');
    await writeFile(join(this.path, name), content, { mode: 0o600 });
    return name;
  }

  /** A plain name that is unused. */
  reserve(): string {
    return this.#name('out');
  }

  /** The absolute path of a plain name. */
  resolve(name: string): string {
    return join(this.path, name);
  }

  run(tool: ImageTool, args: readonly string[]): Promise<ToolRun> {
    return runTool(tool, args, { cwd: this.path, signal: this.#signal });
  }

  #name(kind: string): string {
    this.#count += 1;
    return `${kind}${String(this.#count)}`;
  }
}
