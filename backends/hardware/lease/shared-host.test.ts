import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { packageRoot } from '../../../petri/package-root.ts';
import { HostFolder } from '../remote/host-folder.ts';
import { RemoteHost } from '../ssh/remote-host.ts';
import { sshdPath, TestSshd } from '../testing/sshd.ts';

const original = readFileSync(fileURLToPath(new URL('artifacts/hardware/lease.sh', packageRoot)), 'utf8');
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const shells = [['sh'], ['bash'], ['busybox', 'sh']].filter(([shell = '', ...rest]) => has(shell, ...rest, '-c', ':'));
const NOBODY = 65534;
const asNobody = ['setpriv', `--reuid=${String(NOBODY)}`, `--regid=${String(NOBODY)}`, '--clear-groups'];
/** Why this process cannot act as two users, or ''. */
const alone =
  userInfo().uid !== 0 ? 'only root can act as another user' : has('setpriv', '--version') ? '' : 'no setpriv';

let folder: string;
let script: string;
let root: string;
let victim: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-lease-'));
  chmodSync(folder, 0o755);
  script = join(folder, 'lease.sh');
  // A waiter must not lose its place because this machine is busy.
  expect(original).toContain('\npatience=15\n');
  writeFileSync(script, original.replace('\npatience=15\n', '\npatience=9999\n'));
  root = join(folder, 'shared');
  mkdirSync(root);
  chmodSync(root, 0o1777);
  victim = join(folder, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'secret'), 'precious', { mode: 0o600 });
});
afterEach(() => {
  expect(readdirSync(victim)).toEqual(['secret']);
  expect(readFileSync(join(victim, 'secret'), 'utf8')).toBe('precious');
  rmSync(folder, { recursive: true });
});

function run(argv: readonly string[], input = ''): { status: number | null; stdout: string } {
  const [command = '', ...args] = argv;
  const { status, stdout } = spawnSync(command, args, { input, encoding: 'utf8', cwd: '/' });
  return { status, stdout };
}

describe.skipIf(alone !== '')(`leases on a host with several users${alone && ` (${alone})`}`, () => {
  describe.for(shells.map((shell) => [shell.join(' '), shell] as const))('%s', ([, shell]) => {
    const lease = (...argv: string[]): string => run([...shell, script, ...argv]).stdout.trim();
    const nobodys = (...argv: string[]): string => run([...asNobody, ...shell, script, ...argv]).stdout.trim();
    const nobody = (text: string): void => {
      execFileSync(asNobody[0] ?? '', [...asNobody.slice(1), 'sh', '-c', text], { cwd: root });
    };
    const board = (): string => join(root, 'board');

    it('pass from one user to another in order', () => {
      expect(nobodys('acquire', board(), '1', '60', 'aa', 'them@x:1')).toMatch(/^granted \/.*\/holders\/aa$/);
      expect(lease('acquire', board(), '1', '60', 'bb', 'us@x:2')).toMatch(/^waiting 1 \d+ them@x:1$/);
      expect(nobodys('acquire', board(), '1', '60', 'cc', 'them@x:3')).toMatch(/^waiting 2 \d+ them@x:1$/);
      expect(nobodys('renew', board(), '60', 'aa')).toBe('held 2');
      expect(nobodys('release', board(), 'aa')).toBe('released');
      expect(nobodys('acquire', board(), '1', '60', 'cc', 'them@x:3')).toMatch(/^waiting 2 /);
      expect(lease('acquire', board(), '1', '60', 'bb', 'us@x:2')).toMatch(/^granted /);
      expect(nobodys('show', board())).toMatch(/^holder \d+ us@x:2\nwaiting \d+ them@x:3$/);
    });

    it('can be taken from another user', () => {
      lease('acquire', board(), '1', '60', 'aa', 'us@x:1');
      expect(nobodys('break', board())).toBe('broken 1');
      expect(nobodys('acquire', board(), '1', '60', 'bb', 'them@x:2')).toMatch(/^granted /);
      expect(lease('renew', board(), '60', 'aa')).toBe('lost');
      expect(lease('show', board())).toMatch(/^holder \d+ them@x:2$/);
      // Its marker file is removed as well.
      nobodys('show', board());
      expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /broken\/./.test(name))).toEqual(
        [],
      );
    });

    it.each([
      ['a link to a folder', 'ln -s ../victim petri-vm-0'],
      ['a link to a file', 'ln -s ../victim/secret petri-vm-0'],
      ['a folder', 'mkdir -m 777 petri-vm-0'],
      ['a file', ': >petri-vm-0'],
      ['a FIFO', 'mkfifo petri-vm-0'],
    ])('are refused if %s of another user is in the way', (_what, text) => {
      nobody(text);
      expect(run([...shell, script, 'acquire', board(), '1', '60', 'aa', 'us@x:1'])).toEqual({
        status: 73,
        stdout: `not ours: ${root}/petri-vm-0\n`,
      });
      expect(lease('release', board(), 'aa')).toBe('not-held');
      expect(lease('show', board())).toBe('');
    });

    it('neither follow, open nor trust files in another user’s folder', () => {
      nobodys('acquire', board(), '9', '60', 'aa', 'them@x:1');
      nobody(`
        cd petri-vm-${String(NOBODY)}/*/board/holders
        mkdir bb cc dd 'e e' ff
        mkfifo bb/99999999,1,fifo@x:1
        ln -s "$OLDPWD/../victim" 'cc/99999999,1,$(id)'
        mkdir "dd/99999999,1,$(printf 'a\\033[2J')" 'dd/99999999,1,a
        holder 1 forged' 'dd/08,1,octal' 'dd/99999999,99999999999999999999,long' 'e e/99999999,1,space'
        ln -s "$OLDPWD/../victim/secret" ff/secret
        mkfifo gg
        ln -s "$OLDPWD/../victim" hh
        ln -s petri-vm-${String(NOBODY)} ../../../../petri-vm-1
      `);
      expect(lease('show', board()).replace(/\d+ /g, '')).toBe('holder them@x:1\nholder fifo@x:1');
      expect(lease('acquire', board(), '3', '60', 'aa', 'us@x:1')).toMatch(/^granted /);
      expect(lease('acquire', board(), '3', '60', 'ii', 'us@x:2')).toMatch(/^waiting 1 \d+ \S+$/);
      expect(lease('break', board())).toBe('broken 3');
      expect(lease('show', board())).toMatch(/^waiting \d+ us@x:2$/);
    });

    it.each([
      ['another user owns', () => chownSync(root, NOBODY, NOBODY)],
      ['others can replace things in', () => chmodSync(root, 0o777)],
    ])('are not kept in a folder that %s', (_what, spoil) => {
      spoil();
      expect(run([...shell, script, 'acquire', board(), '1', '60', 'aa', 'us@x:1'])).toEqual({
        status: 73,
        stdout: `unsafe ${root}\n`,
      });
      expect(readdirSync(root)).toEqual([]);
    });

    it('write nothing elsewhere while another user modifies the folder', async () => {
      const text = `
        echo begun
        while :; do
          for kind in 'ln -s ../victim' 'ln -s ../victim/secret' mkdir mkfifo; do $kind petri-vm-0; rm -rf petri-vm-0; done
        done 2>/dev/null`;
      const other = spawn(asNobody[0] ?? '', [...asNobody.slice(1), 'sh', '-c', text], { cwd: root });
      await once(other.stdout, 'data');
      for (let attempt = 0; attempt < 5; attempt += 1) {
        expect(lease('acquire', board(), '99', '60', `a${String(attempt)}`, 'us@x:1')).toMatch(/^(granted|not ours: )/);
        lease('release', board(), `a${String(attempt)}`);
        rmSync(join(root, 'petri-vm-0'), { recursive: true, force: true });
      }
      other.kill('SIGKILL');
      await once(other, 'exit');
    });
  });
});

describe.skipIf(sshdPath === undefined)('our folder on a host', () => {
  const open = async (path: string): Promise<string> => {
    const sshd = await TestSshd.start();
    const host = new RemoteHost(sshd.host({ folder: path }));
    try {
      return (await HostFolder.open(host)).path;
    } finally {
      host.close();
      await sshd.end();
    }
  };

  it('is made where no other user can replace it', async () => {
    expect(await open(join(root, 'ours'))).toBe(join(root, 'ours'));
  });

  const asRoot: readonly [string, () => void][] = [
    ['it is of another user', () => chownSync(join(root, 'ours'), NOBODY, NOBODY)],
    ['the one above is of another user', () => chownSync(root, NOBODY, NOBODY)],
  ];
  it.each<[string, () => void]>([
    ['others can write in it', () => chmodSync(join(root, 'ours'), 0o777)],
    ['others can write in the one above', () => chmodSync(root, 0o777)],
    ...(alone === '' ? asRoot : []),
  ])('is refused if %s', async (_why, spoil) => {
    mkdirSync(join(root, 'ours'), { mode: 0o700 });
    spoil();
    await expect(open(join(root, 'ours'))).rejects.toMatchObject({
      code: 'upload-failed',
      message: expect.stringMatching(/is not ours alone: other users can write to .*shared/),
    });
  });
});
