import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { usePrivateState } from '../kit/process/testing.ts';
import { endsWithUs } from '../unit-test/ends-with-us.ts';
import { until } from '../unit-test/until.ts';
import { optionalTool } from '../unit-test/optional-tool.ts';

const petriBin = fileURLToPath(new URL('../../bin/petri.mjs', import.meta.url));
const config = fileURLToPath(new URL('../vitest/config.ts', import.meta.url));
const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
/** Exit code of a shell for a program that SIGPIPE ended. */
const ENDED_BY_SIGPIPE = 141;

usePrivateState();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-ends-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Output = 'pipe' | number;

function petri(argv: readonly string[], stdout: Output): ChildProcess {
  // No budget of a backend runs out while this test waits.
  const env = { ...process.env, PETRI_SLOW_FACTOR: '1000', NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined };
  return spawn(process.execPath, [...endsWithUs, petriBin, ...argv], {
    cwd: folder,
    env,
    stdio: ['pipe', stdout, 'pipe'],
  });
}

async function errorsOf(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr ?? []) text += String(chunk);
  return text;
}

/** Other processes that have a file open. */
function holders(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => isAt(`/proc/${pid}/fd/${fd}`, path));
      } catch {
        // Ended meanwhile, or belongs to another user.
        return false;
      }
    });
}

function isAt(link: string, path: string): boolean {
  try {
    return readlinkSync(link) === path;
  } catch {
    return false;
  }
}

/** Runs a command whose output is a file, and returns which processes have it open at its end. */
async function runInto(argv: readonly string[], path: string): Promise<{ code: number | null; held: string[] }> {
  const file = openSync(path, 'w');
  const child = petri(argv, file);
  closeSync(file);
  child.stderr?.resume();
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, held: holders(path) };
}

describe('the end of a command', () => {
  it.for<string[]>([['tmk', 'list'], ['tmk', 'run', 'hello'], ['doctor', '--backend=sim'], ['sweep']])(
    'comes when nobody reads what it prints: petri %j',
    async (argv) => {
      const child = petri(argv, 'pipe');
      child.stdout?.destroy();
      const errors = errorsOf(child);
      const [code] = (await once(child, 'exit')) as [number | null];
      expect({ code, errors: await errors }).toEqual({ code: ENDED_BY_SIGPIPE, errors: '' });
    },
  );

  it('is orderly for a VM whose reader closes the pipe', async () => {
    const child = petri(['tmk', 'run', 'loop', '--test', 'log_for_ever', '--timeout', '100000'], 'pipe');
    child.stdout?.once('data', () => child.stdout?.destroy());
    const errors = errorsOf(child);
    const [code] = (await once(child, 'exit')) as [number | null];
    expect({ code, errors: await errors }).toEqual({ code: ENDED_BY_SIGPIPE, errors: '' });
  });

  it.runIf(existsSync('/dev/full'))('is a failure if the disk is full', async () => {
    const file = openSync('/dev/full', 'w');
    const child = petri(['tmk', 'list'], file);
    closeSync(file);
    const errors = errorsOf(child);
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(await errors).toMatch(/^petri: the output cannot be written: ENOSPC/);
    expect(code).toBe(1);
  });

  it('does not wait for leftovers of a backend', async () => {
    const backend = `{
      name: 'mine',
      description: 'leaves a timer and a server behind',
      probe: async () => {
        setInterval(() => undefined, 2 ** 30);
        createServer().listen(0);
        return { available: false, missing: [{ what: 'everything', remedy: 'none' }] };
      },
      launch: async () => undefined,
      close: async () => writeFileSync('closed', ''),
    }`;
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `import { writeFileSync } from 'node:fs';
      import { createServer } from 'node:net';
      import { definePetriConfig } from ${JSON.stringify(config)};
      export default definePetriConfig({ backends: { mine: async () => (${backend}) } });`,
    );
    const { code } = await runInto(['doctor', '--backend=mine'], join(folder, 'output'));
    expect(readFileSync(join(folder, 'output'), 'utf8')).toContain('everything');
    expect(existsSync(join(folder, 'closed'))).toBe(true);
    expect(code).toBe(1);
  });

  it.runIf(qemu !== undefined && existsSync('/proc/self/fd'))(
    'leaves its output open in no process: qemu',
    async () => {
      const argv = ['tmk', 'run', 'hello', '--backend=qemu', '--isolation=none'];
      const output = join(folder, 'output');
      expect(await runInto(argv, output)).toEqual({ code: 0, held: [] });
      expect(readFileSync(output, 'utf8')).toContain('hello world');
    },
  );

  it.runIf(qemu !== undefined && existsSync('/proc/self/fd'))(
    'leaves its output open in no process, even if killed',
    async () => {
      const output = join(folder, 'output');
      const file = openSync(output, 'w');
      const child = petri(
        ['tmk', 'run', 'loop', '--test=spin', '--backend=qemu', '--isolation=none', '--timeout', '100000'],
        file,
      );
      closeSync(file);
      child.stderr?.resume();
      await until(() => {
        const text = readFileSync(output, 'utf8');
        if (child.exitCode !== null) throw new Error(`it ended by itself:\n${text}`);
        return /^ {2}\| /m.test(text);
      });
      expect(holders(output)).toEqual([String(child.pid)]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(holders(output)).toEqual([]);
    },
  );
});
