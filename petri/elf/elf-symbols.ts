import { demangle } from './demangle/demangle.ts';
import { stringAt } from './elf-reader.ts';

const ENTRY_SIZE = 24;
const STT_NOTYPE = 0;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;
/** The index of the section does not fit, and is elsewhere. */
const SHN_XINDEX = 0xffff;

/** Position of an address in a program, when its ELF file has a symbol for it. */
export interface SymbolLocation {
  /** Name of the symbol, demangled. */
  readonly name: string;
  /** Bytes from the start of the symbol. */
  readonly offset: number;
}

/** One entry of a symbol table, its name demangled. */
export interface ElfSymbol {
  readonly name: string;
  readonly address: number;
  /** Bytes; 0 where the assembler was given none. */
  readonly size: number;
}

/**
 * The symbols of an image by address. Symbols that cannot be read are left out rather than reported: this serves
 * reports about guests that already failed.
 */
export class SymbolTable {
  readonly #table: Uint8Array;
  readonly #strings: Uint8Array;
  #sorted: readonly ElfSymbol[] | undefined;

  /**
   * @param table contents of a SHT_SYMTAB section
   * @param strings contents of the string table it links to
   */
  constructor(table: Uint8Array, strings: Uint8Array) {
    this.#table = table;
    this.#strings = strings;
  }

  /** Functions, objects and plain labels, in order of address. */
  get symbols(): readonly ElfSymbol[] {
    return (this.#sorted ??= read(this.#table, this.#strings));
  }

  /** The symbol that covers an address, or the nearest label without a size before it. */
  at(address: number): SymbolLocation | undefined {
    const symbols = this.symbols;
    let low = 0;
    let high = symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const symbol = symbols[middle];
      if (symbol !== undefined && symbol.address <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = symbols[low - 1];
    if (symbol === undefined) return undefined;
    const offset = address - symbol.address;
    return symbol.size !== 0 && offset >= symbol.size ? undefined : { name: symbol.name, offset };
  }

  /** The first symbol of a name. */
  named(name: string): ElfSymbol | undefined {
    return this.symbols.find((symbol) => symbol.name === name);
  }
}

function read(table: Uint8Array, strings: Uint8Array): ElfSymbol[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const symbols: ElfSymbol[] = [];
  for (let entry = 0; entry + ENTRY_SIZE <= table.byteLength; entry += ENTRY_SIZE) {
    const type = view.getUint8(entry + 4) & 0xf;
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_OBJECT) continue;
    const section = view.getUint16(entry + 6, true);
    if (section === SHN_UNDEF || (section >= SHN_LORESERVE && section !== SHN_XINDEX)) continue;
    const name = stringAt(strings, view.getUint32(entry, true));
    // Names with a dollar sign are mapping symbols ($x code, $d data: AAELF64, "Mapping symbols").
    if (name === undefined || name === '' || name.startsWith('$')) continue;
    symbols.push({ name: demangle(name), address: number64(view, entry + 8), size: number64(view, entry + 16) });
  }
  // Of several names for one address the sized one comes last, and so is the one that `at` finds.
  symbols.sort((a, b) => a.address - b.address || a.size - b.size);
  return symbols;
}

function number64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}
