/** A string in Rust's `{:?}` format: in quotes, with escapes (`core::str::escape_debug`). */
const STRING = /^"((?:[^"\\]|\\.)*)"/s;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Reads the quoted string at the start of a text. @returns it and what follows */
export function readRustString(text: string): { readonly value: string; readonly rest: string } | undefined {
  const [whole, inner] = STRING.exec(text) ?? [];
  if (whole === undefined || inner === undefined) return undefined;
  return { value: unescape(inner), rest: text.slice(whole.length) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\(?:u\{([0-9a-f]{1,6})\}|(.))/gs, (_match, code?: string, character?: string) => {
    if (character !== undefined) return ESCAPES[character] ?? character;
    const point = Number.parseInt(code ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  });
}
