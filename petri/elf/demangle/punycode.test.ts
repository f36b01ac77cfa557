import { expect, it } from 'vitest';

import { decodePunycode } from './punycode.ts';

// The first three are samples of RFC 3492, section 7.1.
it.each([
  ['ihqwcrb4cv8a8dqg056pqjye', '他们为什么不说中文'],
  ['Proprostnemluvesky-uyb24dma41a', 'Pročprostěnemluvíčesky'],
  ['3B-ww4c5e180e575a65lsy2b', '3年B組金八先生'],
  ['bcher-kva', 'bücher'],
  ['abc-', 'abc'],
])('%s', (text, expected) => {
  expect(decodePunycode(text)).toBe(expected);
});

it.each(['bcher-kv', 'a-!', '99999999999999', 'a-A', 'a-9999a', 'a-a'])('%s is none, or no text', (text) => {
  expect(decodePunycode(text)).toBeUndefined();
});
