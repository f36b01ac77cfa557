import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervisor } from '../../../petri/process/index.ts';
import { SerialConsole } from '../../../petri/serial/index.ts';
import { consoleSources } from '../console/labgrid-console.ts';
import { openConsoles } from '../console/open-consoles.ts';
import { parseHosts } from '../hosts/hosts-file.ts';
import { switchBoard } from '../power/power.ts';
import { labgridLease } from './labgrid-lease.ts';

/** In place of labgrid's client, with its words and exit codes: a place is a file with its owner in it. */
const client = `#!/bin/sh
place=$(dirname "$0")/place
echo "$*" >>"$(dirname "$0")/calls"
owned() { [ "$(cat "$place" 2>/dev/null)" = us ] && return; echo "labgrid-client: place board is not acquired by you" >&2; exit 1; }
[ "$1" != -x ] || shift 2
[ "$1" != -p ] || shift 2
verb=$1
case $verb in
power) owned; [ "$2" != get ] || echo "power for place board is on" ;;
console) owned; stty raw -echo; printf 'login: '; exec cat ;;
acquire)
    if [ -e "$place" ]; then
        echo "labgrid-client: place board is already acquired by somebody" >&2
        exit 1
    fi
    echo us >"$place" ;;
release) rm -f "$place" ;;
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
      '-x lab:20408 -p board acquire\n-x lab:20408 -p board release\n',
    );
  });

  it('gives it back too when the process that has it is ended in the middle', async () => {
    await labgridLease(config(), 'board', {});
    // What the reaper does for a process that was killed.
    await Supervisor.current()?.close();
    expect(existsSync(join(folder, 'place'))).toBe(false);
  });

  it('waits while somebody else has it, says so, and takes it from nobody', async () => {
    writeFileSync(join(folder, 'place'), 'somebody');
    const why: string[] = [];
    const lease = await labgridLease(config(), 'board', {
      onWait: (reason) => {
        why.push(reason);
        rmSync(join(folder, 'place'));
      },
    });
    expect(why).toEqual(['board: labgrid-client: place board is already acquired by somebody']);
    await lease.release();
    writeFileSync(join(folder, 'place'), 'somebody');
    const controller = new AbortController();
    const waiting = labgridLease(config(), 'board', { signal: controller.signal, onWait: () => controller.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'wait-timeout' });
    expect(readFileSync(join(folder, 'place'), 'utf8')).toBe('somebody');
  });

  it('has the power of a place, which is acquired for that where it is free', async () => {
    const power = { kind: 'labgrid' as const, resource: 'main', timeout: 30 };
    expect(await switchBoard('board', power, 'status', config())).toBe('power for place board is on');
    expect(existsSync(join(folder, 'place'))).toBe(false);
    const lease = await labgridLease(config(), 'board', {});
    await switchBoard('board', power, 'cycle', config());
    // It is kept by whoever had it.
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

  it('has consoles of a place, both ways', async () => {
    const lease = await labgridLease(config(), 'board', {});
    const consoles = new Map<string, SerialConsole>();
    const sources = consoleSources({
      lease: config(),
      consoles: [{ kind: 'labgrid', name: 'uart', resource: 'serial-0' }],
    });
    const open = await openConsoles(sources, {
      logDirectory: folder,
      signal: new AbortController().signal,
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
    'needs a lease of its own for %j',
    (fields) => {
      const host = { name: 'board', address: 'a', user: 'u', launchers: { none: { kind: 'qemu' } }, ...fields };
      const parse = (extra: object) => parseHosts(JSON.stringify({ version: 1, hosts: [{ ...host, ...extra }] }), 'f');
      expect(() => parse({})).toThrow(/is of labgrid, and the host's lease is not/);
      expect(parse({ lease: { kind: 'labgrid', place: 'board' } })).toHaveLength(1);
    },
  );

  it('says what labgrid says when it is something else', async () => {
    writeFileSync(join(folder, 'client'), '#!/bin/sh\necho "labgrid-client: connection refused" >&2\nexit 1\n', {
      mode: 0o755,
    });
    await expect(labgridLease(config(), 'board', {})).rejects.toMatchObject({
      code: 'lease-lost',
      message: expect.stringContaining('connection refused') as string,
    });
  });
});
