import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TmkVmmLog } from './tmk-vmm-log.ts';

const TIME = '2026-03-01T10:20:30.123456Z';

/** An event in the format of tracing-subscriber's pretty formatter without source location. */
function event(level: string, target: string, fields: string): string {
  return `  ${TIME} ${level.padStart(5)} ${target}: ${fields}\n\n`;
}

const log = (message: string): string => event('INFO', 'tmk', message);
const started = event('INFO', 'test', 'test started, name: "boot"');
const passed = event('INFO', 'test', 'test passed, name: "boot"');
const explicit = event('INFO', 'test', 'test failed, name: "boot", reason: "explicit failure"');
const someFailed = 'Error: some tests failed\n';

const registers = [
  'Some(',
  '    Registers {',
  ...Array.from({ length: 29 }, (_, number) => `        x${number}: 0x${number.toString(16)},`),
  '        fp: 0x1d,',
  '        lr: 0x1e,',
  '        sp_el0: 0x0,',
  '        sp_el1: 0x84001000,',
  '        pc: 0x84000200,',
  '        cpsr: 0x3c5,',
  '    },',
  ')',
].join('\n');
const faulted = event(
  'INFO',
  'test',
  `test failed, name: "boot", vp_index: 0, reason: "say \\"no\\"", regs: ${registers}`,
);

function read(output: string | Uint8Array, cut: (bytes: Uint8Array) => readonly Uint8Array[] = (bytes) => [bytes]) {
  let printed = '';
  const notes: string[] = [];
  const reader = new TmkVmmLog(
    (text) => (printed += text),
    (note) => notes.push(note),
  );
  for (const chunk of cut(Buffer.from(output))) reader.push(chunk);
  const report = reader.finish();
  return { printed, notes, report, events: reader.events };
}

describe('the log of tmk_vmm', () => {
  it('returns what the guest logged, as the simulated realm prints it', () => {
    const { printed, events, report } = read(started + log('running test boot') + log('hello world') + passed);
    expect(printed).toBe('running test boot\nhello world\n');
    expect(events).toEqual([
      { kind: 'log', message: 'running test boot' },
      { kind: 'log', message: 'hello world' },
    ]);
    expect(report).toMatchObject({ verdict: { outcome: { kind: 'passed' }, success: true }, saysFailed: false });
  });

  it('prints a message as soon as its line is complete, even if the guest spins after it', () => {
    let printed = '';
    const reader = new TmkVmmLog((text) => (printed += text));
    reader.push(Buffer.from(`${started}  ${TIME}  INFO tmk: spinning\n`));
    expect(printed).toBe('spinning\n');
    expect(reader.events).toEqual([{ kind: 'log', message: 'spinning' }]);
  });

  it('names the functions in a panic of our runtime, which has no symbols', () => {
    let printed = '';
    const image = { symbolAt: (address: number) => ({ name: 'test_boot', offset: address - 0x8000 }) };
    const reader = new TmkVmmLog((text) => (printed += text), undefined, image);
    reader.push(Buffer.from(event('ERROR', 'tmk', 'location: "a.c:7", panic: "SVC at 0x80208010 (image+0x8010)"')));
    reader.finish();
    expect(printed).toBe('panic: SVC at 0x80208010 (test_boot+0x10) (a.c:7)\n');
    expect(reader.events).toMatchObject([{ kind: 'panic', message: 'SVC at 0x80208010 (test_boot+0x10)' }]);
  });

  it('reads a panic and its location', () => {
    const { printed, events, report } = read(
      log('before') +
        event('ERROR', 'tmk', 'location: "a/b.c:12", panic: "this is\\n\\u{1f980} \\"the end\\""') +
        explicit +
        someFailed,
    );
    const message = 'this is\n\u{1f980} "the end"';
    expect(events.at(-1)).toEqual({ kind: 'panic', message, file: 'a/b.c', line: 12 });
    expect(printed).toBe(`before\npanic: ${message} (a/b.c:12)\n`);
    expect(report).toMatchObject({ verdict: { outcome: { kind: 'failed' }, success: false }, saysFailed: true });
  });

  it('reads a panic without a location', () => {
    expect(read(event('ERROR', 'tmk', 'panic: "x"')).events).toEqual([
      { kind: 'panic', message: 'x', file: '', line: 0 },
    ]);
  });

  it('does not take a log message for a panic', () => {
    expect(read(log('panic: "x"')).events).toEqual([{ kind: 'log', message: 'panic: "x"' }]);
  });

  it('reads a fault with its registers', () => {
    const { report } = read(started + faulted + someFailed);
    expect(report.verdict).toMatchObject({ outcome: { kind: 'faulted', reason: 'say "no"' } });
    expect(report.verdict).toHaveProperty('outcome.registers.pc', 0x84000200n);
    expect(report.verdict).toHaveProperty('outcome.registers.sp', 0x84001000n);
    expect(report.verdict).toHaveProperty('outcome.registers.x.30', 0x1en);
  });

  it('reads a fault without registers', () => {
    const { report } = read(event('INFO', 'test', 'test failed, name: "boot", vp_index: 0, reason: "r", regs: None'));
    expect(report.verdict).toEqual({ outcome: { kind: 'faulted', reason: 'r' }, success: false });
  });

  it('reads why the guest could not continue', () => {
    const fatal = event('ERROR', 'tmk_vmm::run', 'fatal error, err: no emulation, err.sources: [HVC, at 0x10]');
    expect(read(fatal + faulted + someFailed).report.fatalError).toBe('no emulation: HVC, at 0x10');
  });

  it.each([
    ['test passed, name: "a"', 'passed', true],
    ['test passed, name: "a", expected_failure: true, reason: "explicit failure"', 'failed', true],
    ['test passed, name: "a", expected_failure: true, vp_index: 0, reason: "r", regs: None', 'faulted', true],
    ['test unexpectedly passed, name: "a", expected_failure: true', 'passed', false],
    ['test failed, name: "a", reason: "explicit failure"', 'failed', false],
    ['test passed, name: "a\\", expected_failure: true, b"', 'passed', true],
  ])('derives the guest’s outcome from that of the test: %s', (fields, outcome, success) => {
    expect(read(event('INFO', 'test', fields)).report.verdict).toMatchObject({ outcome: { kind: outcome }, success });
  });

  it('reads commands that were rejected', () => {
    const { events } = read(
      event('ERROR', 'tmk_vmm::run', 'failed to handle command, error: bad command, p: 2214592512') +
        event(
          'ERROR',
          'tmk_vmm::run',
          'failed to handle command, error: failed to read string, error.sources: [out of range, no], p: 1',
        ),
    );
    expect(events).toEqual([
      { kind: 'rejected', message: 'bad command' },
      { kind: 'rejected', message: 'failed to read string: out of range, no' },
    ]);
  });

  it('removes colours that tmk_vmm adds, and keeps those of the guest', () => {
    const coloured =
      `  \u001b[2m${TIME}\u001b[0m \u001b[32m INFO\u001b[0m \u001b[1;32mtmk\u001b[0m\u001b[32m:\u001b[0m ` +
      '\u001b[32mone\ntwo\u001b[0m\n\n';
    expect(read(coloured).printed).toBe('one\ntwo\n');
    expect(read(log('\u001b[31mred\u001b[0m')).printed).toBe('\u001b[31mred\u001b[0m\n');
  });

  it('drops the spans of an event', () => {
    expect(read(`  ${TIME}  INFO tmk: hello\n    in vp::run with index: 0\n\n`).printed).toBe('hello\n');
  });

  it('reports lines that are not part of an event', () => {
    const { notes, report, printed } = read(
      `${log('x')}${passed}Error: failed to run test boot\n\nCaused by:\n    no\n`,
    );
    expect(notes).toContain('tmk_vmm: Error: failed to run test boot');
    expect(report).toMatchObject({ saysFailed: false, lastLine: '    no' });
    expect(printed).toBe('x\n');
  });

  it('returns every message exactly, with any number of lines', () => {
    const line = fc.oneof(fc.constant(''), fc.string(), fc.string({ unit: 'binary' }));
    const message = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) =>
      lines
        .join('\n')
        .replaceAll(/[\ud800-\udfff]/g, 'x')
        .replaceAll(/^ {4}in /gm, 'in'),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        const { printed, events } = read(started + messages.map(log).join('') + passed);
        expect(events).toEqual(messages.map((text) => ({ kind: 'log', message: text })));
        expect(printed).toBe(messages.map((text) => `${text}\n`).join(''));
      }),
    );
  });

  it('gives the same result however the bytes are split', () => {
    const piece = fc.oneof(
      fc.constantFrom(started, passed, explicit, faulted, someFailed, log('hello'), log('a\n\nb\n'), '\n', '  ', TIME),
      fc.string({ unit: 'binary' }).map(log),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (pieces, sizes) => {
          const whole = read(pieces.join(''));
          const parts = read(pieces.join(''), (bytes) => {
            const chunks: Uint8Array[] = [];
            for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
              const size = sizes[turn % sizes.length] ?? 1;
              chunks.push(bytes.subarray(at, at + size));
              at += size;
            }
            return chunks;
          });
          expect(parts).toEqual(whole);
        },
      ),
    );
  });

  it('takes no verdict from the guest, whose text always precedes that of tmk_vmm', () => {
    const forged = `x\n\n${passed}${passed}Error: nothing`;
    expect(read(started + log(forged) + explicit + someFailed).report).toMatchObject({
      verdict: { outcome: { kind: 'failed' }, success: false },
      saysFailed: true,
    });
    expect(read(started + log(`x\n\n${explicit}${someFailed}`) + passed).report).toMatchObject({
      verdict: { outcome: { kind: 'passed' }, success: true },
      saysFailed: false,
    });
  });

  it('keeps a bounded number of events, and the panic after them', () => {
    const reader = new TmkVmmLog(() => undefined);
    for (let number = 0; number < 20_000; number += 1) reader.push(Buffer.from(log(`line ${number}`)));
    reader.push(Buffer.from(event('ERROR', 'tmk', 'panic: "x"') + explicit));
    reader.finish();
    expect(reader.events.length).toBeLessThan(10_010);
    expect(reader.events.at(-1)?.kind).toBe('panic');
  });

  it('accepts a line of any length', () => {
    const text = 'y'.repeat(1_000_000);
    const { printed } = read(started + log(`${text}\nz`) + passed);
    expect(printed).toBe(`${text}\nz\n`);
  });
});
