/** One command of an SMC interface. */
export interface Command<Handler> {
  /** Function identifier. */
  readonly fid: number;
  /** As the specification has it, without the prefix of the interface: `RTT_CREATE`. */
  readonly name: string;
  /** What X1 and the registers that follow hold. */
  readonly operands: readonly string[];
  readonly serve: Handler;
}

/** The commands of an interface, whose function identifiers lie close together. */
export class CommandTable<Handler> {
  /** In ascending order of function identifiers. */
  readonly commands: readonly Command<Handler>[];
  readonly #first: number;
  /** By distance from the first function identifier, so that a call costs one look-up. */
  readonly #byDistance: (Command<Handler> | undefined)[] = [];

  /** @throws RangeError for two commands of one function identifier */
  constructor(commands: readonly Command<Handler>[]) {
    this.commands = [...commands].sort((a, b) => a.fid - b.fid);
    this.#first = this.commands[0]?.fid ?? 0;
    for (const command of this.commands) {
      const distance = command.fid - this.#first;
      while (this.#byDistance.length < distance) this.#byDistance.push(undefined);
      if (this.#byDistance.length > distance) throw new RangeError(`two commands are 0x${command.fid.toString(16)}`);
      this.#byDistance.push(command);
    }
  }

  /** The command of a function identifier, without the SVE hint; undefined where the interface does not have it. */
  find(fid: number): Command<Handler> | undefined {
    const distance = fid - this.#first;
    return distance >= 0 && distance < this.#byDistance.length ? this.#byDistance[distance] : undefined;
  }
}
