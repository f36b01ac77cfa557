import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervisor } from '../../../petri/kit/process/index.ts';
import { SerialConsole } from '../../../petri/serial/index.ts';
import { consoleSources } from '../console/labgrid-console.ts';
import { openConsoles } from '../console/open-consoles.ts';
import { parseHosts } from '../hosts/hosts-file.ts';
import { switchBoard } from '../power/power.ts';
import { labgridLease } from './labgrid-lease.ts';

/**
 * A stand-in for labgrid's client, with the messages and exit codes of its version 26: a place is a file that contains
 * its owner. If a file `old` exists, it acts as a version without release-from.
 */
const client = `#!/bin/sh
here=$(dirname "$0")
place=$here/place
us=$(cat "$here/us" 2>/dev/null || echo here/ci)
owner=$(cat "$place" 2>/dev/null)
echo "$*" >>"$here/calls"
fail() { echo "labgrid-client: error: $1" >&2; exit 1; }
owned() { [ "$owner" = "$us" ] || fail "place board is not acquired by you"; }
[ "$1" != -x ] || shift 2
[ "$1" != -p ] || shift 2
verb=$1
case $verb in
power) owned; [ "$2" != get ] || echo "power for place board is on" ;;
console) owned; stty raw -echo; printf 'login: '; exec cat ;;
acquire)
    [ ! -e "$here/reserved" ] || fail "Place board was not reserved for $us"
    [ -z "$owner" ] || fail "Place board is already acquired by $owner."
    echo "$us" >"$place"; echo "acquired place board" ;;
show)
    echo "Place 'board':"
    echo "  acquired: \${owner:-None}"
    echo "  acquired resources:" ;;
release-from)
    if [ -e "$here/old" ]; then echo "labgrid-client: error: invalid choice: 'release-from'" >&2; exit 2; fi
    [ "$owner" != "$2" ] || rm -f "$place"
    echo "$2 has released place board" ;;
release)
    [ "\${owner#*/}" = "\${us#*/}" ] || fail "place board is acquired by a different user ($owner), use --kick if you are sure"
    rm -f "$place" ;;
*) exit 2 ;;
esac
`;

describe('labgridLease', () => {
  let folder: string;
  const config = () => ({
    kind: 'labgrid' as const,
    place: 'board',
    coordinator: 'lab:20408',
    command: [join(folder, 'client')],
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'labgrid-'));
    vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
    writeFileSync(join(folder, 'client'), client, { mode: 0o755 });
  });
  afterEach(async () => {
    await Supervisor.current()?.close();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('acquires a place and gives it back once', async () => {
    const lease = await labgridLease(config(), 'board', {});
    expect(existsSync(join(folder, 'place'))).toBe(true);
    await lease.release();
    await lease.release();
    expect(existsSync(join(folder, 'place'))).toBe(false);
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe(
      ['acquire', 'show', 'release-from here/ci'].map((verb) => `-x lab:20408 -p board ${verb}\n`).join(''),
    );
  });

  it('gives it back when the process that holds it is ended', async () => {
    await labgridLease(config(), 'board', {});
    // As the reaper does for a process that was killed.
    await Supervisor.current()?.close();
    expect(existsSync(join(folder, 'place'))).toBe(false);
  });

  it('waits while another user holds it, and reports that', async () => {
    writeFileSync(join(folder, 'place'), 'somebody');
    const why: string[] = [];
    const lease = await labgridLease(config(), 'board', {
      onWait: (reason) => {
        why.push(reason);
        rmSync(join(folder, 'place'));
      },
    });
    expect(why).toEqual(['board: labgrid-client: error: Place board is already acquired by somebody.']);
    await lease.release();
    writeFileSync(join(folder, 'place'), 'somebody');
    const controller = new AbortController();
    const waiting = labgridLease(config(), 'board', { signal: controller.signal, onWait: () => controller.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'wait-timeout' });
    expect(readFileSync(join(folder, 'place'), 'utf8')).toBe('somebody');
  });

  it('waits while it is reserved for another user', async () => {
    writeFileSync(join(folder, 'reserved'), '');
    const why: string[] = [];
    const lease = await labgridLease(config(), 'board', {
      onWait: (reason) => {
        why.push(reason);
        rmSync(join(folder, 'reserved'));
      },
    });
    expect(why).toEqual(['board: labgrid-client: error: Place board was not reserved for here/ci']);
    await lease.release();
  });

  it.each([
    ['elsewhere/eve', 'was taken: elsewhere/eve has it now'],
    ['elsewhere/ci', 'was taken: elsewhere/ci has it now'],
    ['', 'was released by somebody'],
  ])('is lost once labgrid shows %j as its owner, whose place is not released', async (owner, why) => {
    const lease = await labgridLease(config(), 'board', {}, { look: 20 });
    writeFileSync(join(folder, 'place'), owner);
    expect(await lease.lost).toBe(`labgrid's place board ${why}`);
    await lease.release();
    expect(readFileSync(join(folder, 'place'), 'utf8')).toBe(owner);
  });

  it.each(['old', 'new'])('gives back only its own place, with a labgrid that is %s', async (age) => {
    writeFileSync(join(folder, age), '');
    await (await labgridLease(config(), 'board', {})).release();
    expect(existsSync(join(folder, 'place'))).toBe(false);
    const second = await labgridLease(config(), 'board', {});
    writeFileSync(join(folder, 'place'), 'elsewhere/ci\n');
    await second.release();
    expect(readFileSync(join(folder, 'place'), 'utf8')).toBe('elsewhere/ci\n');
  });

  it('switches the power of a place, which is acquired for that if it is free', async () => {
    const power = { kind: 'labgrid' as const, resource: 'main', timeout: 30 };
    expect(await switchBoard('board', power, 'status', config())).toBe('power for place board is on');
    expect(existsSync(join(folder, 'place'))).toBe(false);
    const lease = await labgridLease(config(), 'board', {});
    await switchBoard('board', power, 'cycle', config());
    // The place keeps its owner.
    expect(existsSync(join(folder, 'place'))).toBe(true);
    await lease.release();
    const calls = readFileSync(join(folder, 'calls'), 'utf8');
    expect(calls).toContain('-x lab:20408 -p board power get -n main\n');
    expect(calls).toContain('-x lab:20408 -p board power cycle -n main\n');
    writeFileSync(join(folder, 'place'), 'somebody');
    await expect(switchBoard('board', power, 'off', config())).rejects.toMatchObject({
      code: 'power-failed',
      message: expect.stringContaining('not acquired by you') as string,
    });
  });

  it('connects the consoles of a place, both ways', async () => {
    const lease = await labgridLease(config(), 'board', {});
    const consoles = new Map<string, SerialConsole>();
    const sources = consoleSources({
      lease: config(),
      consoles: [{ kind: 'labgrid', name: 'uart', resource: 'serial-0' }],
    });
    const open = await openConsoles(sources, {
      logDirectory: folder,
      signal: new AbortController().signal,
      onEnd: () => undefined,
      log: () => undefined,
      openConsole: (name, input) => {
        const opened = new SerialConsole({ name, ...(input === undefined ? {} : { input }) });
        consoles.set(name, opened);
        return opened;
      },
    });
    const uart = consoles.get('uart');
    await uart?.waitFor('login: ');
    await uart?.sendLine('root');
    await uart?.waitFor('root');
    await open.end();
    await lease.release();
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toContain('-x lab:20408 -p board console serial-0\n');
  });

  it.each([{ consoles: [{ kind: 'labgrid', name: 'uart' }] }, { power: { kind: 'labgrid' } }])(
    'requires a labgrid lease for %j',
    (fields) => {
      const host = { name: 'board', address: 'a', user: 'u', launchers: { none: { kind: 'qemu' } }, ...fields };
      const parse = (extra: object) => parseHosts(JSON.stringify({ version: 1, hosts: [{ ...host, ...extra }] }), 'f');
      expect(() => parse({})).toThrow(/is of labgrid, and the host's lease is not/);
      expect(parse({ lease: { kind: 'labgrid', place: 'board' } })).toHaveLength(1);
    },
  );

  it('reports other errors of labgrid', async () => {
    writeFileSync(join(folder, 'client'), '#!/bin/sh\necho "labgrid-client: connection refused" >&2\nexit 1\n', {
      mode: 0o755,
    });
    await expect(labgridLease(config(), 'board', {})).rejects.toMatchObject({
      code: 'lease-lost',
      message: expect.stringContaining('connection refused') as string,
    });
  });
});
