import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launchVm, linux, resolveVmConfig } from '../petri/index.ts';
import { backend } from '../backends/sim/index.ts';
import { median } from './statistics.ts';

const FORKS = 40;

/** Milliseconds of the clock, and of processor time of this process. */
interface Taken {
  readonly clock: number;
  readonly processor: number;
}

async function time(work: () => Promise<void>): Promise<Taken> {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { clock: performance.now() - started, processor: (user + system) / 1000 };
}

/** What a test does: makes a VM, asks it something, ends it. */
async function test(directory: string, snapshot: boolean, command = true): Promise<void> {
  const payload = linux(snapshot ? { snapshot: 'booted' } : {});
  const spec = { isolation: 'none', payload, config: resolveVmConfig({ memory: '256M' }), machine: 'shared' } as const;
  const vm = await launchVm(backend, spec, { directory, features: ['linux', 'exec', 'snapshot'] });
  try {
    await vm.serial.waitFor('petri: init has started');
    if (!command) return;
    const { stdout } = await vm.exec('uname -m');
    if (stdout !== 'aarch64\n') throw new Error(`the guest says ${JSON.stringify(stdout)}`);
  } finally {
    await vm.dispose();
  }
}

function report(what: string, { clock, processor }: Taken): void {
  console.log(`  ${what.padEnd(44)} ${clock.toFixed(0).padStart(7)} ms ${processor.toFixed(0).padStart(7)} ms`);
}

/** Measures a test in a Debian that has booted before, beside one that boots. */
export async function main(later?: string): Promise<void> {
  const base = fileURLToPath(new URL('../.petri', import.meta.url));
  mkdirSync(base, { recursive: true });
  const folder = later ?? mkdtempSync(join(base, 'bench-snapshot-'));
  process.env['PETRI_CACHE_DIR'] = folder;
  let count = 0;
  const next = (): string => {
    const directory = join(folder, `vm-${process.pid}-${(count += 1)}`);
    mkdirSync(directory);
    return directory;
  };
  if (later !== undefined) {
    report('the first of a later run', await time(() => test(next(), true)));
    report('the second of a later run', await time(() => test(next(), true)));
    return;
  }
  try {
    console.log(`  ${''.padEnd(44)} ${'clock'.padStart(10)} ${'processor'.padStart(10)}`);
    const booted = await time(() => test(next(), false));
    report('a test that boots', booted);
    report('the first with a snapshot, which makes it', await time(() => test(next(), true)));
    const forks = async (command: boolean): Promise<Taken> => {
      const all: Taken[] = [];
      for (let n = 0; n < FORKS; n += 1) all.push(await time(() => test(next(), true, command)));
      return { clock: median(all.map(({ clock }) => clock)), processor: median(all.map(({ processor }) => processor)) };
    };
    const fork = await forks(true);
    report(`a test of a worker's others (median of ${FORKS})`, fork);
    report('one that runs no command', await forks(false));
    spawnSync(process.execPath, [fileURLToPath(new URL('run.mjs', import.meta.url)), 'snapshot', folder], {
      stdio: 'inherit',
    });
    console.log(`  ratio of one that boots to one that does not   ${(booted.clock / fork.clock).toFixed(0)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
