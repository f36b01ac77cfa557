/** Options of every operation on an image. */
export interface ImageOptions {
  /** Aborts the operation; the running tool is ended. */
  readonly signal?: AbortSignal;
}

/** A file to put into an image. It belongs to uid 0 and gid 0. */
export interface InjectedFile {
  /**
   * Absolute path in the image, without `.`, `..` or symbolic links on the way. Missing folders are made, mode 0755.
   */
  readonly path: string;
  /** Path of a file here, or the content itself. */
  readonly source: string | Uint8Array;
  /**
   * Permission bits.
   *
   * @default 0o644
   */
  readonly mode?: number;
}

/** A file in the image, as it was read back. */
export interface InjectedFileReport {
  readonly path: string;
  readonly size: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

export interface CopyReport {
  /** `reflink`: source and copy share their blocks until one changes. `sparse`: zeros take no space. */
  readonly method: 'reflink' | 'sparse';
  readonly size: number;
}

export interface DerivedImage {
  readonly copy: CopyReport;
  /** Size of the file system in bytes, after growing if that was necessary. */
  readonly size: number;
  readonly files: readonly InjectedFileReport[];
}

export interface DeriveImageOptions extends ImageOptions {
  readonly source: string;
  /** Appears complete or not at all; replaced if it exists. */
  readonly target: string;
  readonly files: readonly InjectedFile[];
  /**
   * Bytes that stay free for the guest, in addition to the injected files.
   *
   * @default 16 MiB
   */
  readonly spare?: number;
}
