/** One command of an SMC interface. */
export interface Command<Handler> {
  /** Function identifier. */
  readonly fid: number;
  /** The specification's name without the prefix of the interface: `RTT_CREATE`. */
  readonly name: string;
  /** Names of the operands, from X1 on. */
  readonly operands: readonly string[];
  readonly serve: Handler;
}

/** The commands of an interface; their function identifiers must be close together. */
export class CommandTable<Handler> {
  /** In ascending order of function identifiers. */
  readonly commands: readonly Command<Handler>[];
  readonly #first: number;
  /** By distance from the first function identifier, so that a call costs one look-up. */
  readonly #byDistance: (Command<Handler> | undefined)[] = [];

  /** @throws RangeError if two commands have the same function identifier */
  constructor(commands: readonly Command<Handler>[]) {
    this.commands = [...commands].sort((a, b) => a.fid - b.fid);
    this.#first = this.commands[0]?.fid ?? 0;
    for (const command of this.commands) {
      const distance = command.fid - this.#first;
      while (this.#byDistance.length < distance) this.#byDistance.push(undefined);
      if (this.#byDistance.length > distance) throw new RangeError(`duplicate command 0x${command.fid.toString(16)}`);
      this.#byDistance.push(command);
    }
  }

  /** The command of a function identifier, ignoring the SVE hint; undefined if the interface does not have it. */
  find(fid: number): Command<Handler> | undefined {
    const distance = fid - this.#first;
    return distance >= 0 && distance < this.#byDistance.length ? this.#byDistance[distance] : undefined;
  }
}
