import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fillTemplate } from './hosts/template.ts';
import { HostFolder } from './remote/host-folder.ts';
import { RemoteLaunch } from './remote/launch.ts';
import { RemoteHost } from './ssh/remote-host.ts';
import { Output } from './testing/lab.ts';
import { sshdPath, TestSshd } from './testing/sshd.ts';

/**
 * Strings from a test (names of tests and payloads), a hosts file (arguments, variables) and a guest (its output and
 * input), on their way through the real sshd and its shells.
 */
describe.skipIf(sshdPath === undefined)('nothing that is a string becomes a command', () => {
  let sshd: TestSshd;
  let host: RemoteHost;
  let home: HostFolder;
  let marker: string;

  beforeAll(async () => {
    sshd = await TestSshd.start();
    marker = join(sshd.folder, 'injected');
    host = new RemoteHost(sshd.host());
    home = await HostFolder.open(host);
  });
  afterAll(async () => {
    host.close();
    await sshd.end();
  });

  const hostile = (): fc.Arbitrary<string> => {
    const piece = fc.constantFrom(
      `$(touch ${marker})`,
      `\`touch ${marker}\``,
      `; touch ${marker};`,
      `' ; touch ${marker} ; '`,
      `" ; touch ${marker} ; "`,
      `\n touch ${marker}\n`,
      `& touch ${marker} &`,
      `| touch ${marker}`,
      `\\`,
      `'`,
      '${payload}',
      '%s%n',
      '-rf',
      '--',
      '~',
      '*',
      '$IFS',
      '\r\n',
      '\u001b[2J',
      'é\u{1f600}',
    );
    return fc.oneof(
      fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('')),
      fc
        .string({ unit: 'binary', minLength: 1 })
        .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text),
    );
  };

  it('an argument arrives unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostile(), { minLength: 1, maxLength: 40 }), async (args) => {
        const { stdout } = await host.run(['sh', '-c', 'for a; do printf "%s\\0" "$a"; done', 'sh', ...args]);
        expect(stdout).toBe(args.map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 60 },
    );
    expect(existsSync(marker)).toBe(false);
  });

  it('an argument, a variable and input reach a launcher unchanged, with a terminal and without', async () => {
    await fc.assert(
      fc.asyncProperty(hostile(), hostile(), fc.boolean(), async (value, variable, terminal) => {
        const output = new Output();
        const launch = await RemoteLaunch.start(host, home, {
          argv: () => {
            const values = {
              payload: value,
              test: value,
              index: '0',
              folder: '/',
              memory: '1',
              memoryMiB: '1',
              vcpus: '1',
            };
            const template = ['--test=${test}', '${payload}', 'plain'];
            const filled = template.map((argument) => fillTemplate(argument, values));
            // In hexadecimal, since a terminal adds carriage returns.
            return [
              'sh',
              '-c',
              'for a in "$@" "$HOSTILE"; do printf "%s" "$a" | od -An -v -tx1 | tr -d " \\n"; echo; done',
              'sh',
              ...filled,
            ];
          },
          env: { HOSTILE: variable },
          terminal,
          output: output.take,
          log: () => undefined,
        });
        expect(await launch.ended).toEqual({ kind: 'exited', code: 0 });
        await launch.remove();
        const hex = (text: string): string => Buffer.from(text).toString('hex');
        expect(output.text.split(/\r?\n/)).toEqual([`--test=${value}`, value, 'plain', variable, ''].map(hex));
      }),
      { numRuns: 12 },
    );
    expect(existsSync(marker)).toBe(false);
  });

  it('a guest’s output and input are never interpreted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostile(), { minLength: 1, maxLength: 5 }), async (texts) => {
        // Including lines that look like those of our own scripts.
        const bytes = Buffer.from(
          [...texts, '\n##petri bytes##\nexit 0 out=1\nlost\ngone\nin 5\nreason expired\n'].join(''),
        );
        const output = new Output();
        const launch = await RemoteLaunch.start(host, home, {
          argv: () => ['sh', '-c', 'head -c "$0"', String(bytes.length)],
          output: output.take,
          log: () => undefined,
        });
        launch.write(bytes);
        expect(await launch.ended).toEqual({ kind: 'exited', code: 0 });
        await launch.remove();
        expect(output.text).toBe(bytes.toString('latin1'));
      }),
      { numRuns: 12 },
    );
    expect(existsSync(marker)).toBe(false);
  });

  it('a payload of any name and content is uploaded under its digest', async () => {
    const folder = join(sshd.folder, "odd $(touch injected) 'name");
    mkdirSync(folder);
    const path = join(folder, `; touch ${'x'.repeat(3)} #.elf`);
    writeFileSync(path, `$(touch ${marker})`);
    const stored = await home.put(path);
    expect(stored).toMatch(/\/files\/[0-9a-f]{64}$/);
    expect((await host.run(['cat', stored])).stdout).toBe(`$(touch ${marker})`);
    expect(existsSync(marker)).toBe(false);
  });

  it('a cached file that does not match its name is replaced', async () => {
    const content = Buffer.from('the right content');
    const stored = await home.put(content);
    writeFileSync(stored, 'something else');
    expect(await (await HostFolder.open(host)).put(content)).toBe(stored);
    expect((await host.run(['cat', stored])).stdout).toBe('the right content');
  });
});
