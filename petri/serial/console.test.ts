import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PetriError } from '../errors.ts';
import { ConsoleLog } from './history/console-log.ts';
import { SerialConsole, type SerialConsoleOptions } from './console.ts';
import { awkwardBytes, cutAt, inPieces, utf8 } from './testing.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'petri-serial-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function inMemory(): SerialConsole {
  return new SerialConsole({ name: 'realm' });
}

async function linesOf(console: SerialConsole): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of console.lines()) lines.push(line);
  return lines;
}

async function errorOf(promise: Promise<unknown>): Promise<PetriError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PetriError)) throw new Error(`expected a PetriError, got ${String(error)}`);
  return error;
}

describe('waitFor', () => {
  it('finds what was printed before the call', async () => {
    const console = inMemory();
    console.push(utf8('booting\nhello world\n'));
    expect(await console.waitFor('hello')).toEqual({ match: 'hello', captures: [], groups: {}, before: 'booting\n' });
  });

  it('finds a text that is split at any byte', async () => {
    const text = 'noise\r\nthe \u001B[1mvälue\u001B[0m is 1234 🦀\r\n';
    const bytes = utf8(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      const console = inMemory();
      const wait = console.waitFor('välue is 1234 🦀');
      const pattern = console.waitFor(/v.lue is (?<value>\d+)/, { consume: false });
      for (const piece of cutAt(bytes, at)) {
        console.push(piece);
        await Promise.resolve();
      }
      expect(await wait).toMatchObject({ match: 'välue is 1234 🦀', before: 'noise\nthe ' });
      expect((await pattern).groups).toEqual({ value: '1234' });
    }
  });

  it('consumes exactly up to the end of the match', async () => {
    const console = inMemory();
    console.push(utf8('one two one\nthree two\n'));
    expect((await console.waitFor('two')).before).toBe('one ');
    expect((await console.waitFor('one')).before).toBe(' ');
    expect((await console.waitFor(/two/)).before).toBe('\nthree ');
    console.close();
    await expect(console.waitFor('two')).rejects.toThrow(PetriError);
  });

  it('does not consume anything when it fails', async () => {
    const console = inMemory();
    console.push(utf8('one two\n'));
    await expect(console.waitFor('three', { timeout: 1 })).rejects.toMatchObject({ code: 'wait-timeout' });
    expect((await console.waitFor('one')).before).toBe('');
  });

  it('can search again from the start of the boot, without consuming', async () => {
    const console = inMemory();
    console.push(utf8('one\ntwo\n'));
    await console.waitFor('one');
    expect((await console.waitFor('one', { from: 'boot', consume: false })).before).toBe('');
    expect((await console.waitFor('two')).before).toBe('\n');
  });

  it('takes a string literally and a RegExp as a pattern', async () => {
    const console = inMemory();
    console.push(utf8('T [ATSS] ok\n'));
    expect((await console.waitFor('[ATSS]', { consume: false })).before).toBe('T ');
    expect((await console.waitFor(/[ATSS]/)).match).toBe('T');
  });

  it('matches a prompt without a line end when no more of it arrives', async () => {
    const console = inMemory();
    console.push(utf8('sh-5.2'));
    const wait = console.waitFor(/^sh-[\d.]+# $/);
    console.push(utf8('# '));
    expect((await wait).match).toBe('sh-5.2# ');
  });

  it('matches an unfinished line when the console closes', async () => {
    const console = inMemory();
    console.push(utf8('value=12'));
    const wait = console.waitFor(/value=(\d+)/);
    console.push(utf8('34'));
    console.close();
    expect((await wait).captures).toEqual(['1234']);
  });

  it('serves several waits at once', async () => {
    const console = inMemory();
    const waits = Promise.all([console.waitFor('b'), console.waitFor(/a/), console.waitFor('c')]);
    console.push(utf8('a b c\n'));
    expect((await waits).map(({ match }) => match)).toEqual(['b', 'a', 'c']);
    console.push(utf8('d'));
    expect((await console.waitFor('d')).before).toBe('\n');
  });

  it('starts a VM that is not running yet, and fails with the error of its boot', async () => {
    let boots = 0;
    const console: SerialConsole = new SerialConsole({
      name: 'realm',
      onDemand: async () => {
        boots += 1;
        console.push(utf8('up\n'));
      },
    });
    expect((await console.waitFor('up')).match).toBe('up');
    expect(boots).toBe(1);
    const broken = new SerialConsole({ name: 'realm', onDemand: () => Promise.reject(new Error('no kernel')) });
    await expect(broken.waitFor('up')).rejects.toThrow('no kernel');
  });

  it('ignores output of an earlier boot', async () => {
    const console = inMemory();
    console.push(utf8('ready\nunfinished \u001B['));
    console.close('the VM halted');
    console.reopen();
    const wait = console.waitFor('ready');
    console.push(utf8('1m again ready\n'));
    expect((await wait).before).toBe('1m again ');
    expect(console.transcript).toContain('ready\nunfinished');
  });

  it('ends the waits of a boot that has ended', async () => {
    const console = inMemory();
    const wait = console.waitFor('ready');
    console.reopen();
    console.push(utf8('ready\n'));
    expect(await errorOf(wait)).toMatchObject({ code: 'console-closed' });
  });

  it('searches with patterns whose steps have to be counted', async () => {
    const console = inMemory();
    const waits = [console.waitFor(/(?:\w+ )+ready/), console.waitFor(/^(?:sh-[\d.]+)+# $/)];
    const expensive = errorOf(console.waitFor(/(x+x+)+y/));
    console.push(utf8(`it is ready\n${'x'.repeat(60)}\nsh-5.2`));
    console.push(utf8('# '));
    expect((await Promise.all(waits)).map(({ match }) => match)).toEqual(['it is ready', 'sh-5.2# ']);
    expect(await expensive).toMatchObject({ code: 'pattern-too-expensive' });
    const late = errorOf(console.waitFor(/(?:\w+ )+never/, { timeout: 1 }));
    expect((await late).code).toBe('wait-timeout');
    const closed = errorOf(console.waitFor(/(?:\w+ )+never/));
    console.close();
    expect((await closed).code).toBe('console-closed');
  });

  it('refuses an empty string', async () => {
    await expect(inMemory().waitFor('')).rejects.toMatchObject({ code: 'invalid-option' });
  });

  it('is deterministic: any chunks give the same text, matches and lines', async () => {
    const patterns = ['a', 'xyz', '\n', /x+/, /^a/, /[^a]z/, /é|€/];
    const observe = async (pieces: readonly Uint8Array[], together: boolean): Promise<unknown> => {
      const console = inMemory();
      const waits = patterns.map((pattern) => console.waitFor(pattern, { from: 'boot' }).catch(() => 'none'));
      const lines = linesOf(console);
      for (const piece of pieces) {
        console.push(piece);
        if (!together) await Promise.resolve();
      }
      console.close();
      return [await Promise.all(waits), await lines, console.transcript, [...console.raw]];
    };
    await fc.assert(
      fc.asyncProperty(awkwardBytes(), fc.array(fc.nat({ max: 12 })), async (bytes, sizes) => {
        expect(await observe(inPieces(bytes, sizes), false)).toEqual(await observe([bytes], true));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a line that is redrawn', () => {
  const countdown = (seconds: number): string =>
    `\u001B[05;01HPress \u001B[1m\u001B[37m\u001B[40mESC\u001B[0m in ${String(seconds)} seconds to skip`;
  const edk2 = `UEFI firmware\r\n\u001B[2J\u001B[01;01H${[5, 4, 3, 2, 1].map(countdown).join('')}\r\n\u001B[06;01HShell> `;

  it("is a line each time: EDK2's countdown", async () => {
    const console = inMemory();
    console.push(utf8(edk2));
    expect((await console.waitFor(/^Press ESC in 1 seconds/)).before).toContain('\nPress ESC in 2 seconds to skip\n');
    expect((await console.waitFor(/^Shell> $/)).before).toBe(' to skip\n');
    console.close();
    expect(await linesOf(console)).toEqual([
      'UEFI firmware',
      ...[5, 4, 3, 2, 1].map((seconds) => `Press ESC in ${String(seconds)} seconds to skip`),
      'Shell> ',
    ]);
    expect(console.raw).toEqual(utf8(edk2));
  });

  it('does not revoke a match, and shows consumed text again only as another line', async () => {
    const console = inMemory();
    console.push(utf8('Hit any key: 2'));
    expect((await console.waitFor('key: 2')).before).toBe('Hit any ');
    const next = console.waitFor('key: 1');
    console.push(utf8('\b1'));
    expect((await next).before).toBe('\nHit any ');
    console.push(utf8('\b0\r\n'));
    expect((await console.waitFor(/^.*0$/)).match).toBe('Hit any key: 0');
    console.close();
    expect((await console.waitFor('key: 2', { from: 'boot', consume: false })).before).toBe('Hit any ');
  });

  it.each([
    ['board7 login: ', 'Welcome\r\n\r\nboard7 \u000Flogin: '],
    [/^[A-Z]+_core1$/, '\r\r\n\r\r\n\0EDGE_core1'],
    ['Password: ', 'Pass\u0007word: '],
    [/^CORE-1# $/, 'Telnet\r\0\r\nbanner\r\0CORE-1# '],
    ['# cho hi', '# echo hi\b\b\b\b\b\b\bcho hi \b\b\b\b\b\b\b'],
    [/autoboot:\s+0/, 'autoboot:  2 \b\b\b 1 \b\b\b 0 '],
    [/^ASSERT \[/, 'Loading\u001B[12;01HASSERT [DxeCore] a.c(1): FALSE\r\n'],
  ])('is found as rendered: %s', async (pattern, output) => {
    const console = inMemory();
    const wait = console.waitFor(pattern);
    for (const byte of utf8(output)) console.push(Uint8Array.of(byte));
    await wait;
  });
});

describe('a wait that fails', () => {
  it('reports the pattern, the time, the nearest lines and the last ones', async () => {
    const console = inMemory();
    console.push(utf8('U-Boot 2025\nrunning test common::bot\nanything else\n'));
    const error = await errorOf(console.waitFor('running test common::boot', { timeout: 5 }));
    expect(error.code).toBe('wait-timeout');
    expect(error.message).toMatch(/^console 'realm' did not print the text "running test common::boot" within \d+ ms/);
    expect(error.message).toContain('nearest lines:\n    > running test common::bot');
    expect(error.message).toContain('the VM is still running');
    expect(error.transcriptTail).toBe('U-Boot 2025\nrunning test common::bot\nanything else');
  });

  it('fails at once when the console closes, and reports how the VM ended', async () => {
    const console = inMemory();
    const wait = errorOf(console.waitFor(/hello/));
    console.push(utf8('panic at 1\n'));
    console.close('the VM halted: panic');
    const error = await wait;
    expect(error.code).toBe('console-closed');
    expect(error.message).toContain("console 'realm' ended without the pattern /hello/: the VM halted: panic");
    expect(await errorOf(console.waitFor('late'))).toMatchObject({ code: 'console-closed' });
  });

  it('reports that a string would have matched as a pattern, and vice versa', async () => {
    const console = inMemory();
    console.push(utf8('count: 42\n[ok]\n'));
    console.close();
    expect((await errorOf(console.waitFor('count: \\d+'))).remedy).toContain('as a pattern, /count: \\d+/');
    console.reopen();
    console.push(utf8('f(x)\n'));
    console.close();
    expect((await errorOf(console.waitFor(/f(x)/))).remedy).toContain('give it as a string');
  });

  it('reports that the text was printed before an earlier match', async () => {
    const console = inMemory();
    console.push(utf8('one two\n'));
    await console.waitFor('two');
    console.close();
    expect((await errorOf(console.waitFor('one'))).remedy).toContain("pass { from: 'boot' }");
    expect((await errorOf(console.waitFor('three'))).remedy).toBeUndefined();
  });

  it('can be aborted with a signal', async () => {
    const controller = new AbortController();
    const wait = errorOf(inMemory().waitFor('x', { signal: controller.signal }));
    controller.abort(new Error('enough'));
    const error = await wait;
    expect(error.message).toContain('was aborted');
    expect(error.cause).toEqual(new Error('enough'));
    expect(await errorOf(inMemory().waitFor('x', { signal: AbortSignal.abort() }))).toBeInstanceOf(PetriError);
  });
});

describe('lines', () => {
  it('yields complete lines from the start, and the unfinished one at the end', async () => {
    const console = inMemory();
    console.push(utf8('one\r\ntwo'));
    await console.waitFor('one');
    const lines = linesOf(console);
    console.push(utf8(' more\n\nlast'));
    console.close();
    expect(await lines).toEqual(['one', 'two more', '', 'last']);
  });

  it('can be left at any line, and aborted', async () => {
    const console = inMemory();
    console.push(utf8('one\ntwo\n'));
    for await (const line of console.lines()) {
      expect(line).toBe('one');
      break;
    }
    const controller = new AbortController();
    const rest = console.lines({ signal: controller.signal });
    await rest.next();
    await rest.next();
    const third = errorOf(rest.next());
    controller.abort();
    expect((await third).message).toContain('aborted');
  });
});

describe('input', () => {
  it('passes on input', async () => {
    const typed: Uint8Array[] = [];
    const console = new SerialConsole({ name: 'realm', input: (bytes) => typed.push(bytes) });
    await console.write('ä');
    await console.write(Uint8Array.of(3));
    await console.sendLine('ls');
    expect(Buffer.concat(typed)).toEqual(Buffer.from('ä\u0003ls\n'));
    console.close('the VM halted: power-off');
    await expect(console.sendLine('x')).rejects.toMatchObject({ code: 'console-closed' });
  });

  it('ends lines as set by the call or the console', async () => {
    let typed = '';
    const input = (bytes: Uint8Array): void => void (typed += Buffer.from(bytes).toString());
    const console = new SerialConsole({ name: 'efi', input });
    await console.sendLine('ver', { ending: 'cr' });
    await console.sendLine('ls');
    console.lineEnding = 'cr';
    await console.sendLine('map');
    await console.sendLine('exit', { ending: 'crlf' });
    expect(typed).toBe('ver\rls\nmap\rexit\r\n');
    const wrong = '\r' as 'cr';
    await expect(console.sendLine('x', { ending: wrong })).rejects.toMatchObject({ code: 'invalid-option' });
    console.lineEnding = wrong;
    await expect(console.sendLine('x')).rejects.toMatchObject({ code: 'invalid-option' });
  });

  it('is rejected without an input', async () => {
    await expect(inMemory().write('x')).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('history', () => {
  it('is bounded: the first and the last bytes are kept, and the gap is reported', async () => {
    const console = new SerialConsole({ name: 'realm', historyLimit: 512 * 1024 });
    const line = `${'x'.repeat(99)}\n`;
    console.push(utf8('first line\n'));
    for (let count = 0; count < 100; count += 1) console.push(utf8(line.repeat(1000)));
    console.push(utf8('last line\n'));
    expect(console.size).toBe(11 + 10_000_000 + 10);
    const gap = console.gap ?? { start: 0, end: 0 };
    expect(console.size - (gap.end - gap.start)).toBeLessThanOrEqual(512 * 1024);
    expect(console.tail(1)).toBe('last line');
    expect((await console.waitFor('first line')).match).toBe('first line');
    await expect(console.waitFor('last line')).rejects.toMatchObject({ code: 'console-incomplete' });
  });

  it('is read back from disk if memory has dropped it, so a late wait misses nothing', async () => {
    const console = new SerialConsole({ name: 'realm', directory, historyLimit: 128 * 1024 });
    const filler = utf8('filler\n'.repeat(20_000));
    console.push(filler);
    console.push(utf8('needle in the middle 🦀\n'));
    for (let count = 0; count < 5; count += 1) console.push(filler);
    expect(console.gap).toBeUndefined();
    expect(console.transcript).toContain('needle in the middle 🦀');
    expect(console.raw.length).toBe(console.size);
    expect((await console.waitFor(/needle in the (.*)/)).captures).toEqual(['middle 🦀']);
    console.close();
    const lines = await linesOf(console);
    expect(lines.length).toBe(120_001);
    expect(lines[20_000]).toBe('needle in the middle 🦀');
    console.dispose();
    expect(console.transcript.split('\n')[20_000]).toBe('needle in the middle 🦀');
  });

  it('keeps a copy: the caller may use its buffer again', async () => {
    const console = inMemory();
    const buffer = utf8('hello\n');
    console.push(buffer);
    buffer.fill(0);
    expect((await console.waitFor(/.+/)).match).toBe('hello');
    expect(console.raw).toEqual(utf8('hello\n'));
  });
});

describe('on disk', () => {
  it('contains exactly the bytes that arrived, at once, with a file of arrival times', () => {
    const bytes = Uint8Array.of(0, 255, 27, 91, 13, 10, 0xc3);
    const console = new SerialConsole({ name: 'tf-a', directory: join(directory, 'not', 'yet') });
    console.push(bytes);
    console.push(bytes);
    const path = join(directory, 'not', 'yet', 'tf-a.log');
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array([...bytes, ...bytes]));
    expect(console.logPath).toBe(path);
    const timing = readFileSync(join(directory, 'not', 'yet', 'tf-a.timing'), 'utf8')
      .trim()
      .split('\n');
    // A busy host may delay the second push.
    expect(timing.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { started: expect.stringMatching(/^\d{4}-/) as string },
      { offset: 0, ms: expect.any(Number) as number },
    ]);
    console.dispose();
    console.dispose();
  });

  it('cannot leave its folder by its name', () => {
    const console = new SerialConsole({ name: '../../etc/x', directory });
    console.push(utf8('x'));
    expect(console.logPath).toBe(join(directory, '.._.._etc_x.log'));
    console.dispose();
  });

  it('reports an incomplete log, and only that', () => {
    const console = new SerialConsole({ name: 'realm', directory });
    console.push(utf8('x'));
    console.dispose();
    expect(console.logFailure).toBeUndefined();
    const late = new ConsoleLog(directory, 'late', 1024);
    late.close();
    late.append(utf8('x'));
    expect(late.failure?.message).toMatch(/after the log was closed/);
  });

  it('continues in memory when the disk fails', async () => {
    const console = new SerialConsole({ name: 'realm', directory: '/dev/null/not-a-folder' });
    console.push(utf8('hello\n'));
    expect((await console.waitFor('hello')).match).toBe('hello');
    expect(console.logFailure).toBeInstanceOf(Error);
  });
});

describe('a console that is neither in memory nor on disk as a whole', () => {
  const filler = utf8('filler\n'.repeat(20_000));
  const reports: string[] = [];

  /** With a secret in the middle, surrounded by more than memory keeps. */
  function flooded(options: Partial<SerialConsoleOptions>): SerialConsole {
    reports.length = 0;
    const onIncomplete = (why: string): void => void reports.push(why);
    const console = new SerialConsole({ name: 'realm', historyLimit: 128 * 1024, onIncomplete, ...options });
    console.push(utf8('first\n'));
    console.push(filler);
    console.push(utf8('secret\n'));
    for (let count = 0; count < 5; count += 1) console.push(filler);
    console.push(utf8('last\n'));
    console.close('the VM halted');
    return console;
  }

  const incomplete: Readonly<Record<string, { readonly make: () => SerialConsole; readonly why: RegExp }>> = {
    'the disk is full': {
      make: () => {
        symlinkSync('/dev/full', join(directory, 'realm.log'));
        return flooded({ directory });
      },
      why: /ENOSPC/,
    },
    'the limit is reached': {
      make: () => flooded({ directory, logLimit: 64 * 1024 }),
      why: /it has reached its limit of 65,536 bytes/,
    },
    'the log was cut by somebody': {
      make: () => {
        const console = flooded({ directory });
        truncateSync(join(directory, 'realm.log'), 1000);
        return console;
      },
      why: /its log was cut/,
    },
    'there is no log': { make: () => flooded({}), why: /it has no log/ },
    'the folder cannot be made': {
      make: () => flooded({ directory: '/dev/null/not-a-folder' }),
      why: /ENOTDIR|EEXIST/,
    },
  };

  it.each(Object.entries(incomplete))('fails wherever lost bytes would be needed: %s', async (_what, { make, why }) => {
    const console = make();
    const code = 'console-incomplete';
    const failures = [
      await errorOf(console.waitFor('secret')),
      await errorOf(console.waitFor('nobody printed this', { from: 'boot', consume: false })),
      await errorOf(console.waitFor(/secret|last/)),
      await errorOf(linesOf(console)),
      await errorOf(Promise.resolve().then(() => console.transcript)),
      await errorOf(Promise.resolve().then(() => console.raw)),
    ];
    expect(failures.map((failure) => failure.code)).toEqual(failures.map(() => code));
    for (const { message } of failures) expect(message).toMatch(why);
    // What does not need lost bytes still works.
    expect((await console.waitFor('first')).match).toBe('first');
    expect(console.tail(1)).toBe('last');
  });

  it.each(['the disk is full', 'the limit is reached'])('is reported once: %s', (what) => {
    const { make, why } = incomplete[what] ?? { make: inMemory, why: /^$/ };
    const console = make();
    expect(reports).toEqual([expect.stringMatching(/^console 'realm' is on disk up to byte [\d,]+ only: /) as string]);
    expect(reports[0]).toMatch(why);
    expect(console.logFailure?.message).toMatch(why);
  });

  it('does not affect a wait that reads as bytes arrive', async () => {
    const console = new SerialConsole({ name: 'realm', directory, historyLimit: 512 * 1024, logLimit: 64 * 1024 });
    const wait = console.waitFor('secret');
    const late = errorOf(console.waitFor('nobody printed this'));
    for (let count = 0; count < 50; count += 1) console.push(filler.subarray(0, 60_000));
    console.push(utf8('secret\n'));
    expect((await wait).match).toBe('secret');
    console.close('the VM halted');
    const error = await late;
    expect(error.code).toBe('console-closed');
    expect(error.message).toContain('its log is incomplete: it has reached its limit');
  });

  it('never uses more disk space than its limit and what memory keeps, and saves the end separately', () => {
    const console = flooded({ directory, logLimit: 64 * 1024 });
    console.dispose();
    const log = readFileSync(join(directory, 'realm.log'));
    expect(log.length).toBe(64 * 1024);
    expect(log.toString()).toMatch(/^first\nfiller\n/);
    const end = readFileSync(join(directory, 'realm.end.log'), 'utf8');
    expect(end.length).toBeLessThanOrEqual(128 * 1024);
    expect(end).toMatch(/filler\nlast\n$/);
  });

  it('is complete when it ends exactly at its limit', () => {
    const console = new SerialConsole({ name: 'realm', directory, logLimit: 6 });
    console.push(utf8('first\n'));
    console.dispose();
    expect(console.logFailure).toBeUndefined();
    expect(statSync(join(directory, 'realm.log')).size).toBe(6);
    expect(existsSync(join(directory, 'realm.end.log'))).toBe(false);
  });
});

describe('a mark', () => {
  it('has the boot of another console begin with what this one showed, with its cursor', async () => {
    const first = new SerialConsole({ name: 'serial' });
    first.push(Buffer.from('of an earlier boot\n'));
    first.reopen();
    first.push(Buffer.from('one\r\ntwo '));
    await first.waitFor('one');
    const mark = first.mark();
    first.push(Buffer.from('of the first only\n'));
    const second = new SerialConsole({ name: 'serial' });
    second.push(Buffer.from('one\n'));
    second.reopen(mark);
    second.push(Buffer.from('three\n'));
    expect(await second.waitFor('one', { from: 'boot', consume: false })).toMatchObject({ before: '' });
    expect(await second.waitFor('three')).toMatchObject({ before: '\ntwo ' });
    expect(second.transcript).toBe('one\none\ntwo three\n');
    await expect(second.waitFor('earlier', { timeout: 0 })).rejects.toThrow(/earlier/);
  });
});
