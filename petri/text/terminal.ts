/**
 * What may follow ESC [ without asking the terminal anything or reaching beyond its screen (ECMA-48; xterm, ctlseqs).
 */
const CONTROL_SEQUENCE = /\u001B\[(?:[\d;]*[@A-HJKLMPSTXZ`abdefgmrsu]|\?(?:[17]|25|1049|2004)[hl]|[\d;]*[hl])/y;
/** Save and restore the cursor, index, keypad modes, character sets. */
const ESCAPE_SEQUENCE = /\u001B(?:[78=>DEM]|[()][0AB])/y;
/** A control sequence that is not let through. */
const OTHER_SEQUENCE = /\u001B\[[\u0020-\u003F]*[\u0040-\u007E]/y;
/** A string for the terminal itself - OSC, DCS, SOS, PM, APC - up to its terminator. */
const CONTROL_STRING = /\u001B[\]PX^_][^\p{Cc}]*(?:\u0007|\u009C|\u001B\\)/uy;
/** The start of any of these, which may go on in the next bytes. */
const UNFINISHED = /\u001B(?:\[[\u0020-\u003F]*|[\]PX^_][^\p{Cc}]*\u001B?|[()])?$/u;
/** Controls that move within the screen: backspace, tab, line feed, carriage return; and the bell. */
const MOVES = /[\u0007-\u000A\u000D]/;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const PLAIN = /[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/uy;
/** Characters of an unfinished sequence that are kept. */
const MAX_UNFINISHED = 4096;

/**
 * What a guest sends to the terminal of whoever sits in front of its console: text, colours and movements of the cursor
 * are let through. Whatever makes a terminal answer, change its title, or reach clipboard, printer or files is left
 * out, wherever the bytes were split.
 */
export class TerminalFilter {
  readonly #decoder = new TextDecoder();
  #unfinished = '';

  /** @returns what may be written to a terminal */
  push(bytes: Uint8Array): string {
    const text = this.#unfinished + this.#decoder.decode(bytes, { stream: true });
    const end = text.search(UNFINISHED);
    const complete = end < 0 ? text : text.slice(0, end);
    this.#unfinished = end < 0 ? '' : text.slice(end, end + MAX_UNFINISHED);
    return filtered(complete);
  }
}

function filtered(text: string): string {
  let shown = '';
  const match = (pattern: RegExp, at: number): string => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? '';
  };
  for (let at = 0; at < text.length;) {
    const plain = match(PLAIN, at);
    const shownHere = plain || match(CONTROL_SEQUENCE, at) || match(ESCAPE_SEQUENCE, at);
    const skipped = shownHere || match(CONTROL_STRING, at) || match(OTHER_SEQUENCE, at);
    if (skipped === '') {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      if (MOVES.test(character) || !HIDDEN.test(character)) shown += character;
      at += character.length;
      continue;
    }
    shown += shownHere;
    at += skipped.length;
  }
  return shown;
}
