import { demangleV0 } from './demangle-v0.ts';

/** Escapes of rustc's legacy mangling, `$…$`; `$u7e$` and the like give a code point. */
const escapes: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/**
 * The path behind a symbol of rustc's mangling, the legacy one (`_ZN…17h<hash>E`) without the hash or v0 (`_R…`);
 * anything else, C names among them, as it is.
 */
export function demangle(symbol: string): string {
  if (symbol.startsWith('_R')) return demangleV0(symbol) ?? symbol;
  if (!symbol.startsWith('_ZN')) return symbol;
  const parts: string[] = [];
  let position = 3;
  while (position < symbol.length && symbol[position] !== 'E') {
    const digits = /^\d{1,4}/.exec(symbol.slice(position, position + 4))?.[0];
    if (digits === undefined) return symbol;
    const start = position + digits.length;
    const end = start + Number(digits);
    if (end > symbol.length) return symbol;
    parts.push(symbol.slice(start, end));
    position = end;
  }
  const hash = parts.at(-1);
  if (hash === undefined || !/^h[0-9a-f]{16}$/.test(hash)) return symbol;
  return parts.slice(0, -1).map(unescape).join('::');
}

function unescape(part: string): string {
  const text = part.startsWith('_$') ? part.slice(1) : part;
  return text
    .replace(/\$(\w+)\$/g, (whole, name: string) => {
      const known = escapes[name];
      if (known !== undefined) return known;
      const code = /^u([0-9a-f]{1,5})$/.exec(name)?.[1];
      return code === undefined ? whole : String.fromCodePoint(Number.parseInt(code, 16));
    })
    .replaceAll('..', '::');
}
