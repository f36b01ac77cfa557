/** What every operation on an image takes. */
export interface ImageOptions {
  /** Gives up; the tool that is running is ended. */
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

/** A file that is in the image, as it was read back from it. */
export interface InjectedFileReport {
  readonly path: string;
  readonly size: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

export interface CopyReport {
  /** `reflink`: source and copy share their blocks until one changes. `sparse`: what is zero takes no space. */
  readonly method: 'reflink' | 'sparse';
  readonly size: number;
}

export interface DerivedImage {
  readonly copy: CopyReport;
  /** Bytes of the file system, after growing if it had to. */
  readonly size: number;
  readonly files: readonly InjectedFileReport[];
}

export interface DeriveImageOptions extends ImageOptions {
  readonly source: string;
  /** Appears complete or not at all; replaced if it exists. */
  readonly target: string;
  readonly files: readonly InjectedFile[];
  /**
   * Bytes that stay free for the guest besides what is injected.
   *
   * @default 16 MiB
   */
  readonly spare?: number;
}
