/**
 * What makes text of a guest, an ELF file, a remote machine or a tool safe to show. The same characters are always
 * shown in the same way, and what was made harmless before stays as it is. What a test matches (`waitFor`,
 * `transcript`, `raw`, the members of a halt) is never changed.
 *
 * What becomes visible: control characters (C0 and C1, ESC among them, so that no control sequence is left whatever it
 * is nested in), format characters (Unicode category Cf: bidirectional controls, zero-width characters), line and
 * paragraph separators, and halves of surrogate pairs.
 *
 * What is broken up: commands that a CI runner obeys in the output of a job. GitHub Actions obeys `::` at the start of
 * a line after white space, and `##[` anywhere; Azure Pipelines `##vso[` and `##[`; TeamCity `##teamcity[`.
 *
 * @module
 */

const HIDDEN = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}`;
const hidden = new RegExp(`[${HIDDEN}]`, 'gu');

/**
 * Colours and weights as our own output has them: SGR with one parameter (ECMA-48, 8.3.117), not the one that conceals.
 */
const SGR = String.raw`\u001B\[(?:[0-79]|2[2-9]|[349]\d|10[0-7])m`;
const hiddenButColours = new RegExp(`${SGR}|[^\\P{C}\\n\\t\\p{Cn}\\p{Co}]|[\\p{Zl}\\p{Zp}]`, 'gu');

const lineCommand = new RegExp(`^((?:[^\\S\\n]|${SGR})*):(?=:)`, 'gm');
const anywhereCommand = new RegExp(`#((?:${SGR})*)#(?=(?:[\\w.-]|${SGR})*\\[)`, 'g');

const named: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** One line: line ends are shown as `\n`. Belongs around every word of a guest that goes into a sentence of ours. */
export function harmlessLine(text: string): string {
  return withoutCommands(text.replaceAll(hidden, visible));
}

/** Text of several lines of which some may be ours: line ends stay. */
export function harmlessText(text: string): string {
  return text.split('\n').map(harmlessLine).join('\n');
}

/** Text of several lines that may all be a guest's: each begins with `|` behind the indent, as no line of ours does. */
export function quotedLines(text: string, indent: string): string {
  return text
    .split('\n')
    .map((line) => `${indent}| ${harmlessLine(line)}`)
    .join('\n');
}

const QUOTED = /^ *\| /;

/** A sentence that may have words of a guest in it: what they put on further lines is quoted. */
export function harmlessMessage(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  const quoted = rest.map((line) => (QUOTED.test(line) ? harmlessLine(line) : quotedLines(line, '  ')));
  return [harmlessLine(first), ...quoted].join('\n');
}

/** A whole output of ours: its line ends, tabs and colours stay. The last gate before a terminal or a CI log. */
export function harmlessOutput(text: string): string {
  return withoutCommands(
    text.replaceAll(hiddenButColours, (found) => (found.startsWith('\u001B[') ? found : visible(found))),
  );
}

/** A text as a literal in a sentence, between double quotes. */
export function quoted(text: string): string {
  return harmlessLine(JSON.stringify(text));
}

/** JSON that says the same and is harmless where it is printed. */
export function harmlessJson(value: unknown, replacer?: (key: string, value: unknown) => unknown, indent = 2): string {
  return JSON.stringify(value, replacer, indent)
    .replaceAll(hiddenButLineEnds, (found) => found.split('').map(codeUnit).join(''))
    .replaceAll(anywhereCommand, String.raw`#$1\u0023`);
}

/** Line ends in JSON are those between its values: inside of them they are escapes already. */
const hiddenButLineEnds = /[^\P{C}\n\p{Cn}\p{Co}]|[\p{Zl}\p{Zp}]/gu;

function codeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return (
    named[character] ??
    (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16).padStart(4, '0')}}`)
  );
}

function withoutCommands(text: string): string {
  return text.replaceAll(lineCommand, String.raw`$1\x3a`).replaceAll(anywhereCommand, String.raw`#$1\x23`);
}
