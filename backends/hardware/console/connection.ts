/** The connection to a console of a board. */
export interface ConsoleConnection {
  write(bytes: Uint8Array): unknown;
  /** Resolves with how it ended, as a clause. Never rejects. */
  readonly closed: Promise<string>;
  end(): unknown;
}
