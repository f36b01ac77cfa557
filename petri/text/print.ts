import { harmlessJson, harmlessOutput } from './harmless.ts';

/**
 * What everything that we print ourselves goes through: whatever words of guests, files and other machines are in it,
 * they do nothing to a terminal or a CI job. The linter forbids other ways.
 *
 * @returns whether there is room for more
 */
export function print(text: string): boolean {
  return process.stdout.write(harmlessOutput(text));
}

/** The same for JSON, which stays JSON of the same value. */
export function printJson(value: unknown): void {
  process.stdout.write(`${harmlessJson(value)}\n`);
}

/** The same for complaints. */
export function printError(text: string): void {
  process.stderr.write(harmlessOutput(text));
}

/** What a `TerminalFilter` let through. */
export function writeTerminal(filtered: string): void {
  process.stdout.write(filtered);
}

/** A complaint or remark on a line of its own, in the middle of a terminal in raw mode. */
export function printBetween(line: string): void {
  process.stderr.write(`\r\n${harmlessOutput(line)}\r\n`);
}
