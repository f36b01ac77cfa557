import { MangledCursor, NotMangled } from './mangled-cursor.ts';

/** Bounds for a symbol made to blow up: back references can make few bytes mean an endless text. */
const MAX_TEXT = 4096;
const MAX_DEPTH = 100;
const MAX_STEPS = 20_000;

const basicTypes: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

/** Tags of paths; that of a back reference is common to all. */
const PATHS = 'CMXYNI';
const INTEGERS = 'ahijlmnostxy';
const LETTERS = 26;
const SYMBOL = /^_R([A-Z][A-Za-z0-9_]*)((?:[.$].*)?)$/;

/**
 * The path behind a symbol of rustc's v0 mangling (RFC 2603), `_R…`, without hashes of crates and suffixes of LLVM.
 *
 * @returns undefined for anything else
 */
export function demangleV0(symbol: string): string | undefined {
  const [, mangled, suffix = ''] = SYMBOL.exec(symbol) ?? [];
  if (mangled === undefined || mangled.length > MAX_TEXT) return undefined;
  try {
    return new Reader(mangled).symbol() + suffix.replace(/\.llvm\.[0-9A-Fa-f@]+$/, '');
  } catch (error) {
    if (error instanceof NotMangled) return undefined;
    throw error;
  }
}

/** A path, and whether its list of generic arguments is still open. */
interface OpenPath {
  readonly text: string;
  readonly open: boolean;
}

class Reader {
  readonly #cursor: MangledCursor;
  #depth = 0;
  #steps = 0;
  #boundLifetimes = 0;

  constructor(input: string) {
    this.#cursor = new MangledCursor(input);
  }

  symbol(): string {
    const text = this.#path(true);
    // The crate that a generic function was instantiated in.
    if (!this.#cursor.isAtEnd) this.#path(false);
    if (!this.#cursor.isAtEnd) throw new NotMangled();
    return text;
  }

  /** @param isValue in an expression, where generic arguments take `::<>` */
  #path(isValue: boolean): string {
    return this.#nested(() => {
      switch (this.#cursor.next()) {
        case 'C':
          return this.#cursor.identifier().name;
        case 'M':
          this.#implPath();
          return `<${this.#type()}>`;
        case 'X':
          this.#implPath();
          return this.#qualified();
        case 'Y':
          return this.#qualified();
        case 'N':
          return this.#member(isValue);
        case 'I':
          return `${this.#path(isValue)}${isValue ? '::' : ''}<${this.#list(() => this.#genericArgument())}>`;
        case 'B':
          return this.#cursor.backReference(() => this.#path(isValue));
        default:
          throw new NotMangled();
      }
    });
  }

  /** Where an impl block stands, which is left out. */
  #implPath(): void {
    this.#cursor.optionalBase62('s');
    this.#path(false);
  }

  #qualified(): string {
    const type = this.#type();
    return `<${type} as ${this.#path(false)}>`;
  }

  #member(isValue: boolean): string {
    const namespace = this.#cursor.match(/[A-Za-z]/y);
    const parent = this.#path(isValue);
    const { name, disambiguator } = this.#cursor.identifier();
    if (/[a-z]/.test(namespace)) return name === '' ? parent : `${parent}::${name}`;
    const kind = namespace === 'C' ? 'closure' : namespace === 'S' ? 'shim' : namespace;
    return `${parent}::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`;
  }

  #genericArgument(): string {
    if (this.#cursor.eat('L')) return this.#lifetime(this.#cursor.base62());
    return this.#cursor.eat('K') ? this.#const(false) : this.#type();
  }

  #type(): string {
    const first = this.#cursor.peek();
    const basic = basicTypes[first];
    if (basic !== undefined) return this.#cursor.eat(first) ? basic : '';
    if (first !== '' && PATHS.includes(first)) return this.#path(false);
    return this.#nested(() => {
      const tag = this.#cursor.next();
      switch (tag) {
        case 'R':
        case 'Q': {
          const lifetime = this.#cursor.eat('L') ? this.#cursor.base62() : 0;
          const name = lifetime === 0 ? '' : `${this.#lifetime(lifetime)} `;
          return `&${name}${tag === 'Q' ? 'mut ' : ''}${this.#type()}`;
        }
        case 'P':
          return `*const ${this.#type()}`;
        case 'O':
          return `*mut ${this.#type()}`;
        case 'A': {
          const element = this.#type();
          return `[${element}; ${this.#const(true)}]`;
        }
        case 'S':
          return `[${this.#type()}]`;
        case 'T':
          return this.#tuple(() => this.#type());
        case 'F':
          return this.#bound(() => this.#functionPointer());
        case 'D':
          return this.#traitObject();
        case 'B':
          return this.#cursor.backReference(() => this.#type());
        default:
          throw new NotMangled();
      }
    });
  }

  #functionPointer(): string {
    const unsafe = this.#cursor.eat('U') ? 'unsafe ' : '';
    let abi = '';
    if (this.#cursor.eat('K')) {
      abi = this.#cursor.eat('C') ? 'extern "C" ' : `extern "${this.#cursor.plainIdentifier().replaceAll('_', '-')}" `;
    }
    const head = `${unsafe}${abi}fn(${this.#list(() => this.#type())})`;
    return this.#cursor.eat('u') ? head : `${head} -> ${this.#type()}`;
  }

  #traitObject(): string {
    const traits = this.#bound(() => this.#list(() => this.#boundTrait(), ' + '));
    if (!this.#cursor.eat('L')) throw new NotMangled();
    const lifetime = this.#cursor.base62();
    return `dyn ${traits}${lifetime === 0 ? '' : ` + ${this.#lifetime(lifetime)}`}`;
  }

  #boundTrait(): string {
    let { text, open } = this.#openPath();
    while (this.#cursor.eat('p')) {
      text += open ? ', ' : '<';
      open = true;
      text += `${this.#cursor.plainIdentifier()} = `;
      text += this.#type();
    }
    return open ? `${text}>` : text;
  }

  /** A path to which associated types may still be added. */
  #openPath(): OpenPath {
    if (this.#cursor.eat('B')) {
      let path: OpenPath = { text: '', open: false };
      this.#cursor.backReference(() => (path = this.#openPath()).text);
      return path;
    }
    if (!this.#cursor.eat('I')) return { text: this.#path(false), open: false };
    const path = this.#path(false);
    return { text: `${path}<${this.#list(() => this.#genericArgument())}`, open: true };
  }

  /** @param isNested inside another constant or an array, where blocks need no braces */
  #const(isNested: boolean): string {
    return this.#nested(() => {
      const tag = this.#cursor.next();
      if (INTEGERS.includes(tag)) return `${this.#cursor.eat('n') ? '-' : ''}${this.#cursor.integer()}`;
      const braced = (text: string): string => (isNested ? text : `{${text}}`);
      switch (tag) {
        case 'p':
          return '_';
        case 'b':
          return this.#cursor.integer() === '1' ? 'true' : 'false';
        case 'c':
          return quoted(codePoint(this.#cursor.integer()), "'");
        case 'e':
          return braced(`*${quoted(this.#cursor.text(), '"')}`);
        case 'R':
          return this.#cursor.eat('e') ? quoted(this.#cursor.text(), '"') : braced(`&${this.#const(true)}`);
        case 'Q':
          return braced(`&mut ${this.#const(true)}`);
        case 'A':
          return braced(`[${this.#list(() => this.#const(true))}]`);
        case 'T':
          return braced(this.#tuple(() => this.#const(true)));
        case 'V':
          return braced(this.#variant());
        case 'B':
          return this.#cursor.backReference(() => this.#const(isNested));
        default:
          throw new NotMangled();
      }
    });
  }

  #variant(): string {
    const path = this.#path(true);
    switch (this.#cursor.next()) {
      case 'U':
        return path;
      case 'T':
        return `${path}(${this.#list(() => this.#const(true))})`;
      case 'S': {
        const field = (): string => {
          const { name } = this.#cursor.identifier();
          return `${name}: ${this.#const(true)}`;
        };
        return `${path} { ${this.#list(field)} }`;
      }
      default:
        throw new NotMangled();
    }
  }

  #tuple(element: () => string): string {
    const elements = this.#elements(element);
    return elements.length === 1 ? `(${elements[0] ?? ''},)` : `(${elements.join(', ')})`;
  }

  #list(element: () => string, separator = ', '): string {
    return this.#elements(element).join(separator);
  }

  #elements(element: () => string): readonly string[] {
    const elements: string[] = [];
    let length = 0;
    while (!this.#cursor.eat('E')) {
      const text = element();
      length += text.length;
      if (length > MAX_TEXT) throw new NotMangled();
      elements.push(text);
    }
    return elements;
  }

  /** Something that may begin with `for<'a>`. */
  #bound(inner: () => string): string {
    const count = this.#cursor.optionalBase62('G');
    if (count > LETTERS) throw new NotMangled();
    const before = this.#boundLifetimes;
    const names = Array.from({ length: count }, () => {
      this.#boundLifetimes++;
      return this.#lifetime(1);
    });
    const text = `${count === 0 ? '' : `for<${names.join(', ')}> `}${inner()}`;
    this.#boundLifetimes = before;
    return text;
  }

  /** @param index 0 for an erased one, otherwise counted from the innermost */
  #lifetime(index: number): string {
    if (index === 0) return "'_";
    const depth = this.#boundLifetimes - index;
    if (depth < 0) throw new NotMangled();
    return depth < LETTERS ? `'${String.fromCharCode(0x61 + depth)}` : `'_${depth}`;
  }

  #nested(read: () => string): string {
    if (++this.#depth > MAX_DEPTH || ++this.#steps > MAX_STEPS) throw new NotMangled();
    const text = read();
    if (text.length > MAX_TEXT) throw new NotMangled();
    this.#depth--;
    return text;
  }
}

function codePoint(digits: string): string {
  const value = Number(digits);
  if (!(value <= 0x10_ffff)) throw new NotMangled();
  return String.fromCodePoint(value);
}

/** As Rust would write it; names reach the user's terminal. */
function quoted(text: string, quote: string): string {
  const escaped = text.replace(/[\\'"\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '\\' || character === quote) return `\\${character}`;
    if (character === '"' || character === "'") return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `${quote}${escaped}${quote}`;
}
