import { Allowance } from '../match/allowance.ts';
import { SEQUENCE } from './control-sequences.ts';
import { EDITABLE, EditedLine } from './edited-line.ts';

/**
 * Controls that move the cursor or erase, except line ends: BS, VT, FF; IND, NEL, RI, RIS; CSI with the finals below.
 */
const MOVES = /[\b\v\f]|\u001B(?:[DEMc]|\[(?:[\d;]*[@A-HJ-MPSTXad-fr`]|\?\d*[JK]))/;

/** Controls that are invisible if nothing moves the cursor. */
const PASSIVE = new RegExp(String.raw`[\0-\x08\x0B\x0C\x0E-\x1A\x1C-\x1F\x7F]|${SEQUENCE}`, 'g');
const HAS_PASSIVE = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F]/;

/** Characters that take one column each. */
const NARROW = /^[\x20-\u02FF]*$/;

const TOKEN = new RegExp(String.raw`[\0-\x08\x0A-\x1A\x1C-\x1F\x7F]|${SEQUENCE}`, 'g');

/** Converts text with complete control sequences to the text that a person sees. The output is append-only. */
export class RenderedText {
  #allowance = new Allowance();
  /** The unfinished line while its cursor is at its end. */
  #line = '';
  /** Whether the unfinished line is too long to be kept: its cursor cannot move back. */
  #overlong = false;
  #edited: EditedLine | undefined;
  /** Whether a carriage return is pending: what follows decides whether it belongs to a line end. */
  #carriage = false;
  /** Whether the line began at another column than the first. */
  #indented = false;
  /** Row of the cursor, from 1, after it was moved there; 0 if unknown. */
  #row = 0;
  /** Column of the cursor, from 1, if the row is known; NaN after a character whose width is not known. */
  #column = 0;

  write(text: string): string {
    if (text === '') return '';
    const plain = this.#edited === undefined && !MOVES.test(text) ? this.#writePlain(text) : undefined;
    return plain ?? this.#writeTokens(text);
  }

  /** The rest of the line that was not output yet, at the end of the stream. */
  finish(): string {
    return this.#edited?.finish() ?? '';
  }

  clone(): RenderedText {
    const copy = new RenderedText();
    copy.#allowance = this.#allowance.clone();
    copy.#line = this.#line;
    copy.#overlong = this.#overlong;
    copy.#edited = this.#edited?.clone(copy.#allowance);
    copy.#carriage = this.#carriage;
    copy.#indented = this.#indented;
    copy.#row = this.#row;
    copy.#column = this.#column;
    return copy;
  }

  /**
   * The common case, without work per line. Undefined, with nothing changed, if a carriage return is not at a line end.
   */
  #writePlain(text: string): string | undefined {
    let plain = HAS_PASSIVE.test(text) ? text.replaceAll(PASSIVE, '') : text;
    let carriage = this.#carriage;
    if (carriage) plain = `\r${plain}`;
    if (plain.includes('\r')) {
      if (plain.includes('\r\r')) plain = plain.replaceAll(/\r{2,}/g, '\r');
      plain = plain.replaceAll('\r\n', '\n').replaceAll('\n\r', '\n');
      if (this.#isAtStart && plain.startsWith('\r')) plain = plain.slice(1);
      carriage = plain.endsWith('\r');
      if (carriage) plain = plain.slice(0, -1);
      if (plain.includes('\r')) return undefined;
    }
    this.#carriage = carriage;
    this.#allowance.earn(text.length);
    const newline = plain.lastIndexOf('\n');
    if (newline !== -1) this.#startLine(carriage);
    this.#extend(newline === -1 ? plain : plain.slice(newline + 1));
    return plain;
  }

  #writeTokens(text: string): string {
    let out = '';
    let at = 0;
    for (const token of text.matchAll(TOKEN)) {
      out += this.#print(text.slice(at, token.index));
      this.#allowance.earn(token[0].length);
      out += this.#control(token[0], token[1] ?? '');
      at = token.index + token[0].length;
    }
    return out + this.#print(text.slice(at));
  }

  #print(run: string): string {
    if (run === '') return '';
    let out = this.#carriage ? this.#return() : '';
    if (this.#edited === undefined) {
      this.#allowance.earn(run.length);
      this.#extend(run);
      return out + run;
    }
    let at = 0;
    for (const character of run) {
      at += character.length;
      this.#allowance.earn(character.length);
      out += this.#edited.put(character);
      if (!this.#edited.isFull) continue;
      out += this.#edited.finish() + run.slice(at);
      this.#allowance.earn(run.length - at);
      this.#edited = undefined;
      this.#overlong = true;
      break;
    }
    return out;
  }

  #control(token: string, parameters: string): string {
    switch (token[0]) {
      case '\n':
        return this.#endLine();
      case '\r':
        this.#carriage ||= !this.#isAtStart;
        return '';
      case '\b':
        return this.#edit((line) => line.moveBy(-1));
      case '\v':
      case '\f':
        return this.#beginLine(!this.#isEmpty);
      case '\u001B':
        return token[1] === '[' ? this.#csi(token, parameters) : this.#escape(token);
      default:
        return '';
    }
  }

  #escape(token: string): string {
    switch (token) {
      case '\u001BD':
      case '\u001BM':
        return this.#beginLine(!this.#isEmpty);
      case '\u001BE':
      case '\u001Bc':
        return this.#beginLine(false);
      default:
        return '';
    }
  }

  /** ECMA-48, section 8.3; private sequences erase the same columns. */
  #csi(token: string, parameters: string): string {
    if (!MOVES.test(token)) return '';
    const [first = 0, second = 0] = parameters.replace('?', '').split(';').map(Number);
    const count = Math.min(Math.max(first, 1), EDITABLE);
    switch (token.at(-1)) {
      case 'C':
      case 'a':
        return this.#edit((line) => line.moveBy(count));
      case 'D':
        return this.#edit((line) => line.moveBy(-count));
      case 'G':
      case '`':
        if (this.#indented) return this.#beginLine(count > 1);
        return this.#edit((line) => line.moveTo(count - 1));
      case 'H':
      case 'f':
        return this.#moveTo(Math.max(first, 1), Math.max(second, 1));
      case 'E':
      case 'F':
      case 'r':
        return this.#beginLine(false);
      case 'J':
      case 'K':
        return this.#erase(token.endsWith('J'), first);
      case 'P':
        return this.#edit((line) => line.delete(count));
      case 'X':
        return this.#edit((line) => line.erase(count));
      case '@':
        return this.#edit((line) => line.insert(count));
      default:
        return this.#beginLine(!this.#isEmpty);
    }
  }

  /** Moves the cursor to a position. EDK2 moves it to where it is already, around each character that is typed. */
  #moveTo(row: number, column: number): string {
    const isThere = this.#row === row && this.#column === column && this.#edited === undefined && !this.#carriage;
    if (isThere) return '';
    const out = this.#beginLine(column > 1);
    this.#row = row;
    this.#column = column;
    return out;
  }

  #erase(display: boolean, what: number): string {
    if (what === 0) {
      const atEnd = this.#edited === undefined && !this.#carriage;
      return atEnd ? '' : this.#edit((line) => line.eraseToEnd());
    }
    if (what === 1) return this.#edit((line) => line.eraseToStart());
    return display ? this.#beginLine(this.#indented) : this.#edit((line) => line.eraseAll());
  }

  #edit(action: (line: EditedLine) => string): string {
    const out = this.#carriage ? this.#return() : '';
    const start = this.#edited === undefined ? this.#startEditing() : '';
    return out + start + (this.#edited === undefined ? '' : action(this.#edited));
  }

  /** Carries out a carriage return that does not belong to a line end. */
  #return(): string {
    this.#carriage = false;
    if (this.#indented || this.#overlong) return this.#beginLine(false);
    return this.#edit((line) => line.toStart());
  }

  #startEditing(): string {
    const out = this.#overlong ? this.#beginLine(this.#indented) : '';
    this.#edited = new EditedLine(this.#line, this.#allowance);
    this.#line = '';
    return out;
  }

  /** A line end. */
  #endLine(): string {
    const out = `${this.#edited?.finish() ?? ''}\n`;
    this.#startLine(false);
    return out;
  }

  /** Starts a new line because the cursor moved elsewhere, without leaving an empty line behind. */
  #beginLine(indented: boolean): string {
    const out = this.#isEmpty ? '' : this.#endLine();
    this.#startLine(false);
    this.#indented = indented;
    return out;
  }

  #startLine(carriage: boolean): void {
    this.#line = '';
    this.#overlong = false;
    this.#edited = undefined;
    this.#indented = false;
    this.#row = 0;
    this.#carriage = carriage;
  }

  #extend(text: string): void {
    if (this.#overlong) return;
    if (this.#row !== 0) this.#column += NARROW.test(text) ? text.length : Number.NaN;
    this.#overlong = this.#line.length + text.length > EDITABLE;
    this.#line = this.#overlong ? '' : this.#line + text;
  }

  /** Whether a carriage return would do nothing. */
  get #isAtStart(): boolean {
    return this.#edited === undefined && this.#isEmpty && !this.#indented;
  }

  get #isEmpty(): boolean {
    return this.#edited === undefined ? this.#line === '' && !this.#overlong : this.#edited.isEmpty;
  }
}
