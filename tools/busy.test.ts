import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const busy = fileURLToPath(new URL('busy.mjs', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function run(script: string, onOutput: (output: string, kill: () => void) => void = () => undefined): Promise<Outcome> {
  const child = spawn(process.execPath, [busy, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    onOutput(output, () => child.kill('SIGKILL'));
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

function loopsOf(output: string): number[] {
  return (/busy loops: ([\d, ]+)/.exec(output)?.[1] ?? '').split(', ').map(Number);
}

/** Whether a process with this id is a loop of ours: ids are given out again. */
function isLoop(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('isThere');
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== 'linux')('npm run busy', () => {
  it('runs a command beside loops, gives its exit code, and leaves no loop', async () => {
    const seen = `
      const { readFileSync } = require('node:fs');
      const loops = readFileSync('/proc/' + process.ppid + '/task/' + process.ppid + '/children', 'utf8').trim().split(' ');
      console.log('children', loops.length);
      process.exitCode = 3;
    `;
    const { code, output } = await run(seen);
    expect(code).toBe(3);
    const loops = loopsOf(output);
    expect(loops.length).toBeGreaterThanOrEqual(2);
    expect(output).toContain(`children ${loops.length + 1}`);
    expect(loops.filter(isLoop)).toEqual([]);
  });

  it('leaves no loop when it is killed', async () => {
    const { output } = await run("console.log('runs')", (text, kill) => {
      if (text.includes('runs')) kill();
    });
    await expect.poll(() => loopsOf(output).filter(isLoop)).toEqual([]);
  });
});
