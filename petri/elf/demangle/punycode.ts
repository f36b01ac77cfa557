/** Parameters of RFC 3492, section 5. */
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST = 0x80;
const LAST = 0x10_ffff;

/**
 * Decodes Punycode (RFC 3492).
 *
 * @param delimiter what stands between the basic characters and the rest
 * @returns undefined for a text that is none, or that has control characters
 */
export function decodePunycode(text: string, delimiter = '-'): string | undefined {
  const split = text.lastIndexOf(delimiter);
  const decoded = Array.from(text.slice(0, Math.max(split, 0)), (character) => character.charCodeAt(0));
  let code = FIRST;
  let bias = 72;
  let position = 0;
  for (let at = split + 1; at < text.length;) {
    const before = position;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const value = digit(text[at++] ?? '');
      if (value === undefined) return undefined;
      position += value * weight;
      const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
      if (value < threshold) break;
      weight *= BASE - threshold;
      if (position > LAST * text.length) return undefined;
    }
    const length = decoded.length + 1;
    bias = adapt(position - before, length, before === 0);
    code += Math.floor(position / length);
    if (code > LAST || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    position %= length;
    decoded.splice(position++, 0, code);
  }
  const result = decoded.map((value) => String.fromCodePoint(value)).join('');
  return /\p{C}/u.test(result) ? undefined : result;
}

function digit(character: string): number | undefined {
  if (/^[a-z]$/.test(character)) return character.charCodeAt(0) - 0x61;
  return /^[0-9]$/.test(character) ? Number(character) + 26 : undefined;
}

function adapt(delta: number, length: number, isFirst: boolean): number {
  let left = Math.floor(isFirst ? delta / DAMP : delta / 2);
  left += Math.floor(left / length);
  let k = 0;
  for (; left > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) left = Math.floor(left / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * left) / (left + SKEW));
}
