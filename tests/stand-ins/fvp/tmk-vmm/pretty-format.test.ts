import { describe, expect, it } from 'vitest';

import { debugRegisters, debugString, prettyEvent } from './pretty-format.ts';

const now = new Date('2026-02-15T18:44:24.535Z');
const plain = { colour: false, escapeMessages: false, span: false };

describe('an event of tmk_vmm', () => {
  it('has its time, level, target, message and fields, and an empty line after it', () => {
    const event = { level: 'INFO', target: 'test', message: 'test started', fields: [['name', '"boot"']] } as const;
    expect(prettyEvent(event, now, plain)).toBe(
      '  2026-02-15T18:44:24.535000Z  INFO test: test started, name: "boot"\n\n',
    );
  });

  it('may have no message', () => {
    const event = { level: 'ERROR', target: 'tmk', fields: [['panic', '"the end"']] } as const;
    expect(prettyEvent(event, now, plain)).toBe('  2026-02-15T18:44:24.535000Z ERROR tmk: panic: "the end"\n\n');
  });

  it('is coloured whether its reader is a terminal or not', () => {
    const event = { level: 'INFO', target: 'tmk', message: 'hello' } as const;
    expect(prettyEvent(event, now, { ...plain, colour: true })).toBe(
      '  \x1b[2m2026-02-15T18:44:24.535000Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[1;32mtmk\x1b[0m\x1b[32m:\x1b[0m \x1b[32mhello\x1b[0m\n\n',
    );
  });

  it('shows control characters of messages where a newer formatter does', () => {
    const event = { level: 'INFO', target: 'tmk', message: 'a\x1b[2Jb' } as const;
    expect(prettyEvent(event, now, { ...plain, escapeMessages: true })).toContain('tmk: a\\x1b[2Jb\n');
  });

  it('names the span that it is in', () => {
    const event = { level: 'INFO', target: 'tmk', message: 'hello' } as const;
    expect(prettyEvent(event, now, { ...plain, span: true })).toMatch(/hello\n {4}in \S+::run_vp with vp=0x0\n\n$/);
  });
});

describe('values in the words of Rust', () => {
  it('quotes and escapes strings', () => {
    expect(debugString('a "b"\n\x1b\\')).toBe('"a \\"b\\"\\n\\u{1b}\\\\"');
  });

  it('prints registers one in a line', () => {
    const x = Array.from({ length: 31 }, (_, index) => BigInt(index));
    const text = debugRegisters({ x, sp: 0x100n, pc: 0x8020_0000n, pstate: 0x3c5n });
    expect(text).toMatch(/^Some\(\n {4}Registers \{\n {8}x0: 0x0,\n {8}x1: 0x1,\n/);
    expect(text).toMatch(/x28: 0x1c,\n {8}fp: 0x1d,\n {8}lr: 0x1e,\n {8}sp_el0: 0x0,\n {8}sp_el1: 0x100,\n/);
    expect(text).toMatch(/pc: 0x80200000,\n {8}cpsr: 0x3c5,\n {4}\},\n\)$/);
  });
});
