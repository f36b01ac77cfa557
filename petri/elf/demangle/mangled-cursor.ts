import { decodePunycode } from './punycode.ts';

/** A symbol that is not of the mangling, or goes beyond its bounds. */
export class NotMangled extends Error {}

/** Reads the terminals of rustc's v0 mangling (RFC 2603) from a symbol, without its `_R`. */
export class MangledCursor {
  readonly #input: string;
  #at = 0;

  constructor(input: string) {
    this.#input = input;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#input.length;
  }

  /** '' at the end */
  peek(): string {
    return this.#input[this.#at] ?? '';
  }

  next(): string {
    const character = this.peek();
    if (character === '') throw new NotMangled();
    this.#at++;
    return character;
  }

  eat(character: string): boolean {
    if (this.peek() !== character) return false;
    this.#at++;
    return true;
  }

  /** @param pattern sticky */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [text] = pattern.exec(this.#input) ?? [];
    if (text === undefined) throw new NotMangled();
    this.#at += text.length;
    return text;
  }

  /** Reads, after its tag, a back reference, and what it refers to by `read`. */
  backReference(read: () => string): string {
    const tag = this.#at - 1;
    const target = this.base62();
    if (target >= tag) throw new NotMangled();
    const after = this.#at;
    this.#at = target;
    const text = read();
    this.#at = after;
    return text;
  }

  base62(): number {
    const digits = this.match(/[0-9A-Za-z]{0,11}_/y).slice(0, -1);
    if (digits === '') return 0;
    let value = 0;
    for (const digit of digits) value = value * 62 + base62Digit(digit);
    return value + 1;
  }

  /** 0 without the tag. */
  optionalBase62(tag: string): number {
    return this.eat(tag) ? this.base62() + 1 : 0;
  }

  identifier(): { readonly name: string; readonly disambiguator: number } {
    const disambiguator = this.optionalBase62('s');
    return { name: this.plainIdentifier(), disambiguator };
  }

  plainIdentifier(): string {
    const isPunycode = this.eat('u');
    const length = Number(this.match(/0|[1-9]\d{0,4}/y));
    this.eat('_');
    const name = this.#input.slice(this.#at, this.#at + length);
    if (name.length < length) throw new NotMangled();
    this.#at += length;
    return isPunycode ? (decodePunycode(name, '_') ?? `punycode{${name}}`) : name;
  }

  /** In decimal, or in hexadecimal where it is wider than 64 bits. */
  integer(): string {
    const digits = this.match(/[0-9a-f]*_/y).slice(0, -1);
    return digits.length > 16 ? `0x${digits}` : BigInt(`0x0${digits}`).toString();
  }

  /** Bytes of UTF-8. */
  text(): string {
    const hex = this.match(/(?:[0-9a-f]{2})*_/y).slice(0, -1);
    return Buffer.from(hex, 'hex').toString();
  }
}

function base62Digit(digit: string): number {
  if (digit <= '9') return Number(digit);
  return digit >= 'a' ? digit.charCodeAt(0) - 0x61 + 10 : digit.charCodeAt(0) - 0x41 + 36;
}
