import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervisor } from '../../../petri/process/index.ts';
import { labgridLease } from './labgrid-lease.ts';

/** In place of labgrid's client, with its words and exit codes: a place is a file with its owner in it. */
const client = `#!/bin/sh
place=$(dirname "$0")/place
echo "$*" >>"$(dirname "$0")/calls"
for verb; do :; done
case $verb in
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

describe('labgridLease', { timeout: 60_000 }, () => {
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
