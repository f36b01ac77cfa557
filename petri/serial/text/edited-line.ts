import type { Allowance } from '../match/allowance.ts';

/** Maximum columns of a line in which the cursor can move back. */
export const EDITABLE = 4096;

/** Columns of a serial terminal by default, and tab stops. */
const TERMINAL_WIDTH = 80;
const TAB = 8;

/** Wide characters, instead of the property East_Asian_Width (UAX #11), which regular expressions lack. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Bopo}\p{sc=Yi}\p{Emoji_Presentation}\u3000-\u303E\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]/u;
const HALF_WIDTH = /[\uFF61-\uFFDC]/;

/** UTF-16 units of a character with its combining characters. */
const LONGEST_CELL = 32;

/**
 * A line whose cursor was moved. Its output is append-only: if a character changes that was output already, the line is
 * output again up to the cursor, after a line end. Text to the right of the cursor follows when the line ends or the
 * cursor reaches it.
 */
export class EditedLine {
  /** One per column; the second column of a wide character is ''. */
  #cells: string[] = [];
  #column = 0;
  /** Columns of the current line that were output. */
  #shown = 0;
  /** Inserted columns that are still to be written. */
  #inserted = 0;
  readonly #allowance: Allowance;

  constructor(text: string, allowance: Allowance) {
    this.#allowance = allowance;
    for (const character of text) this.put(character);
  }

  clone(allowance: Allowance): EditedLine {
    const copy = new EditedLine('', allowance);
    copy.#cells = [...this.#cells];
    copy.#column = this.#column;
    copy.#shown = this.#shown;
    copy.#inserted = this.#inserted;
    return copy;
  }

  get isEmpty(): boolean {
    return this.#cells.length === 0 && this.#shown === 0;
  }

  get isFull(): boolean {
    return this.#cells.length >= EDITABLE || this.#column >= EDITABLE;
  }

  /** Writes one character, a code point, at the cursor. */
  put(character: string): string {
    if (character === '\t' && this.#column < this.#cells.length) {
      return this.moveTo(this.#column + this.#widthOf(character));
    }
    const width = this.#widthOf(character);
    if (width === 0) return this.#combine(character);
    if (this.#inserted > 0) return this.#fill(character, width);
    if (this.#stands(character, width)) {
      this.#column += width;
      return '';
    }
    this.#blankHalves(this.#column + width);
    const before = this.#column < this.#shown ? this.#again(this.#column) : this.#upTo(this.#column);
    this.#write(character, width);
    this.#shown = this.#column;
    return before + character;
  }

  /**
   * A carriage return. At the right margin a shell prints a space and this to continue on its next row, the same line.
   */
  toStart(): string {
    const { length } = this.#cells;
    const wrapped = this.#column === length && length > TERMINAL_WIDTH && length % TERMINAL_WIDTH === 1;
    return this.moveTo(wrapped && this.#cells[length - 1] === ' ' ? length - 1 : 0);
  }

  moveBy(columns: number): string {
    return this.moveTo(this.#column + columns);
  }

  moveTo(column: number): string {
    const out = this.#endInsertion();
    this.#column = Math.min(Math.max(column, 0), EDITABLE - 1);
    return out;
  }

  eraseToEnd(): string {
    const out = this.#endInsertion();
    if (this.#column >= this.#cells.length) return out;
    this.#blankHalves(this.#column);
    this.#cells.length = this.#column;
    return this.#shown > this.#column ? out + this.#again(this.#column) : out;
  }

  eraseToStart(): string {
    const out = this.#endInsertion();
    this.#blankHalves(this.#column + 1);
    this.#cells.fill(' ', 0, this.#column + 1);
    return this.#shown > 0 ? out + this.#again(this.#shown) : out;
  }

  eraseAll(): string {
    this.#inserted = 0;
    this.#cells = [];
    const had = this.#shown > 0;
    this.#shown = 0;
    return had ? '\n' : '';
  }

  erase(count: number): string {
    const out = this.#endInsertion();
    this.#blankHalves(this.#column + count);
    this.#cells.fill(' ', this.#column, this.#column + count);
    return this.#shown > this.#column ? out + this.#again(this.#column) : out;
  }

  delete(count: number): string {
    const out = this.#endInsertion();
    if (this.#column >= this.#cells.length) return out;
    this.#blankHalves(this.#column + count);
    this.#cells.splice(this.#column, count);
    return out + this.#again(this.#cells.length);
  }

  /** Inserted columns are output when they are written. */
  insert(count: number): string {
    const out = this.#endInsertion();
    const room = Math.min(count, EDITABLE - 1 - this.#cells.length);
    if (this.#column >= this.#cells.length || room <= 0) return out;
    if (!this.#allowance.spend(this.#cells.length)) return out + this.#afresh();
    this.#blankHalves(this.#column);
    this.#cells.splice(this.#column, 0, ...Array.from({ length: room }, () => ' '));
    this.#inserted = room;
    return out;
  }

  /** The rest of the line that was not output yet, when the line ends. */
  finish(): string {
    const out = this.#endInsertion() + this.#slice(this.#shown, this.#cells.length);
    this.#shown = this.#cells.length;
    return out;
  }

  #widthOf(character: string): number {
    if (character === '\t') return TAB - (this.#column % TAB);
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x300) return 1;
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
    return WIDE.test(character) && !HALF_WIDTH.test(character) ? 2 : 1;
  }

  /** Whether the character is at the cursor already, and was output. */
  #stands(character: string, width: number): boolean {
    const end = this.#column + width;
    if (end > this.#shown || this.#cells[this.#column] !== character) return false;
    return this.#slice(this.#column + 1, end) === '' && this.#cells[end] !== '';
  }

  /** Blanks wide characters that are partly overwritten, from the cursor to a column. */
  #blankHalves(end: number): void {
    for (let at = this.#column; this.#cells[at] === '' && at > 0; at -= 1) this.#cells[at] = this.#cells[at - 1] = ' ';
    for (let at = end; this.#cells[at] === ''; at += 1) this.#cells[at] = ' ';
  }

  #write(character: string, width: number): void {
    const end = this.#column + width;
    while (this.#cells.length < this.#column) this.#cells.push(' ');
    this.#cells[this.#column] = character;
    for (let at = this.#column + 1; at < end; at += 1) this.#cells[at] = '';
    this.#column = end;
  }

  #combine(mark: string): string {
    let at = this.#column - 1;
    while (this.#cells[at] === '' && at > 0) at -= 1;
    const cell = this.#cells[at] ?? '';
    if (this.#column < this.#shown && cell.includes(mark)) return '';
    const before = this.#column < this.#shown ? this.#again(this.#column) : this.#upTo(this.#column);
    if (cell !== '' && cell.length < LONGEST_CELL && at < this.#cells.length) this.#cells[at] = cell + mark;
    return before + mark;
  }

  #fill(character: string, width: number): string {
    this.#inserted = Math.max(0, this.#inserted - width);
    this.#write(character, width);
    return this.#inserted === 0 ? this.#again(this.#cells.length) : '';
  }

  #endInsertion(): string {
    if (this.#inserted === 0) return '';
    this.#inserted = 0;
    return this.#again(this.#cells.length);
  }

  /** The current line up to a column, as a new line. */
  #again(end: number): string {
    if (!this.#allowance.spend(end)) return this.#afresh();
    this.#shown = end;
    return `\n${this.#slice(0, end)}`;
  }

  /** The part between the last output and a column. */
  #upTo(column: number): string {
    if (column === this.#shown) return '';
    if (!this.#allowance.spend(column - this.#shown)) return this.#afresh();
    const text = this.#slice(this.#shown, column);
    this.#shown = column;
    return text;
  }

  /** Drops the line if a guest has redrawn it too often. */
  #afresh(): string {
    this.#cells = [];
    this.#column = this.#shown = this.#inserted = 0;
    return '\n';
  }

  #slice(start: number, end: number): string {
    let text = this.#cells.slice(start, end).join('');
    if (end > this.#cells.length) text += ' '.repeat(end - Math.max(start, this.#cells.length));
    return text;
  }
}
