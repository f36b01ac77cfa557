import { describe, expect, it } from 'vitest';

import { demangle } from './demangle.ts';
import { demangleV0 } from './demangle-v0.ts';

/** A position as a back reference writes it, for those below 63. */
function base62(position: number): string {
  return position === 0
    ? '_'
    : `${'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'[position - 1] ?? ''}_`;
}

/** Pairs of pairs, each of which refers back to its own first half. */
function pairs(levels: number): string {
  const start = 'INvC3foo3bar'.length;
  const references = Array.from({ length: levels }, (_, level) => `B${base62(start + levels - level)}E`);
  return `_RINvC3foo3bar${'T'.repeat(levels)}h${references.join('')}E`;
}

it.each([
  ['_RNvC6_123foo3bar', '123foo::bar'],
  ['_RNvNtCs1234_7mycrate3foo3bar', 'mycrate::foo::bar'],
  ['_RNvMs_NtC5alloc3vecINtB4_3VechE3new', '<alloc::vec::Vec<u8>>::new'],
  ['_RNvXs0_C3foojNtB5_5Trait3run', '<usize as foo::Trait>::run'],
  ['_RNvYhNtC4core5Clone5clone', '<u8 as core::Clone>::clone'],
  ['_RINvC3foo3barhReEB2_', 'foo::bar::<u8, &str>'],
  ['_RNCNvC3foo3bars_0', 'foo::bar::{closure#1}'],
  ['_RNSNvC3foo3bar6vtable', 'foo::bar::{shim:vtable#0}'],
  ['_RINvC3foo3barKj1f_Kan7f_Kb1_Kc61_KpE', "foo::bar::<31, -127, true, 'a', _>"],
  ['_RINvC3foo3barKoffffffffffffffffffff_E', 'foo::bar::<0xffffffffffffffffffff>'],
  [
    '_RINvC3foo3barKRe68c3a9_KVNtB2_6OptionTj1_EKVNtB2_5PointS1xj1_1yj2_EE',
    'foo::bar::<"hé", {foo::Option(1)}, {foo::Point { x: 1, y: 2 }}>',
  ],
  ['_RINvC3foo3barAhj4_ShThtEThETEE', 'foo::bar::<[u8; 4], [u8], (u8, u16), (u8,), ()>'],
  ['_RINvC3foo3barPhOhQhRL_hE', 'foo::bar::<*const u8, *mut u8, &mut u8, &u8>'],
  [
    '_RINvC3foo3barFUKCjhEuFEbFK13system_unwindEpE',
    'foo::bar::<unsafe extern "C" fn(usize, u8), fn() -> bool, extern "system-unwind" fn() -> _>',
  ],
  ['_RINvC3foo3barFG_RL0_hEuE', "foo::bar::<for<'a> fn(&'a u8)>"],
  ['_RINvC3foo3barDINtB2_2FnThEEp6OutputbNtB2_4SendEL_E', 'foo::bar::<dyn foo::Fn<(u8,), Output = bool> + foo::Send>'],
  ['_RNvC3foou8gdel_5qa', 'foo::gödel'],
  ['_RNvC3foou9bcher_kva', 'foo::bücher'],
  ['_RNvC10simple_tmk4boot.llvm.123ABC', 'simple_tmk::boot'],
  ['_RNvC10simple_tmk4boot.cold.1', 'simple_tmk::boot.cold.1'],
  ['_RINvC3foo3barKe22e298a8_E', 'foo::bar::<{*"\\"☨"}>'],
  ['_RINvC3foo3barDG0_INtB2_2FnTRL0_hRL1_hEEEL_E', "foo::bar::<dyn for<'a, 'b> foo::Fn<(&'b u8, &'a u8)>>"],
  ['_RINvC3foo3barKRAj1_j2_EKTj1_EKc27_Kc7f_E', "foo::bar::<{&[1, 2]}, {(1,)}, '\\'', '\\u{7f}'>"],
  ['_RNvC3foo3_7up', 'foo::7up'],
])('%s', (symbol, expected) => {
  expect(demangleV0(symbol)).toBe(expected);
  expect(demangle(symbol)).toBe(expected);
});

describe('a symbol that is no mangling, or a hostile one,', () => {
  it.each([
    ['with nothing', '_R'],
    ['of another version', '_R1NvC3foo3bar'],
    ['of C', '_Restart'],
    ['with an unknown tag', '_RZC3foo'],
    ['with a name that is too long', '_RNvC3foo99bar'],
    ['with a reference to itself', '_RNvB0_3foo'],
    ['with a reference to what comes later', '_RNvBz_3foo'],
    ['with a lifetime of nothing', '_RINvC3foo3barRL0_hE'],
    ['with more after its crate', '_RNvC3foo3barC3fooC3foo'],
    ['with a character beyond Unicode', '_RINvC3foo3barKc110000_E'],
    ['of a million tags', `_R${'N'.repeat(1_000_000)}`],
    ['with deep nesting', `_RINvC3foo3bar${'S'.repeat(3000)}hE`],
    ['that means 2^45 types', pairs(45)],
  ])('%s stays as it is', (_, symbol) => {
    expect(demangleV0(symbol)).toBeUndefined();
    expect(demangle(symbol)).toBe(symbol);
  });

  it('that repeats a little is read', () => {
    expect(demangleV0(pairs(2))).toBe('foo::bar::<((u8, u8), (u8, u8))>');
  });

  it('may be cut anywhere', () => {
    const whole = '_RINvMs_NtC5alloc3vecINtB5_3VechE3newDG0_INtB5_2FnTRL0_hEEp6OutputbEL_KRe6869_FUKCjhEuKj1f_EC3foo';
    expect(demangleV0(whole)).toMatch(/^<alloc::vec::Vec<u8>>::new::<dyn for<'a, 'b> /);
    for (let end = 0; end < whole.length; end++) expect(() => demangleV0(whole.slice(0, end))).not.toThrow();
  });
});
