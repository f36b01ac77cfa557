import { expect, it } from 'vitest';

import { demangle } from './demangle.ts';

it.each([
  ['tmk_main', 'tmk_main'],
  ['_ZN10simple_tmk6common4boot17h0123456789abcdefE', 'simple_tmk::common::boot'],
  ['_ZN4core3fmt9Formatter9write_str17h5af2cb6be0b2b7c1E', 'core::fmt::Formatter::write_str'],
  [
    '_ZN50_$LT$tmk_core..Log$u20$as$u20$core..fmt..Write$GT$9write_str17h0123456789abcdefE',
    '<tmk_core::Log as core::fmt::Write>::write_str',
  ],
  ['_ZN3foo3barE', '_ZN3foo3barE'],
  ['_ZN99toolong', '_ZN99toolong'],
  ['_ZN', '_ZN'],
  ['_ZNxyz', '_ZNxyz'],
  ['_ZN10a$u110000$17h0123456789abcdefE', 'a$u110000$'],
])('%s', (symbol, expected) => {
  expect(demangle(symbol)).toBe(expected);
});
