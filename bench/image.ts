import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { deriveImage } from '../petri/kit/image/index.ts';
import { Supervisor } from '../petri/kit/process/index.ts';
import { median } from './statistics.ts';

const MIB = 1024 * 1024;
const IMAGE = 1024 * MIB;
const ROUNDS = 5;

/** What a CCA root file system gets: kernel, lkvm, tmk_vmm, a payload and scripts; 68 MiB together. */
const sizes = { Image: 44 * MIB, lkvm: 2 * MIB, tmk_vmm: 20 * MIB, simple_tmk: 2 * MIB - 4096, 'host-agent.sh': 4096 };

const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { env, stdio: 'ignore' });
}

/** The same by hand, as one does who trusts it: copy, debugfs, fsck; nothing is read back. */
function byHand(source: string, target: string, files: string): void {
  run('cp', '--sparse=always', source, target);
  const commands = ['mkdir /cca', 'cd /cca', ...Object.keys(sizes).map((name) => `write ${name} ${name}`)];
  execFileSync('debugfs', ['-w', '-f', '-', target], { cwd: files, env, input: commands.join('\n'), stdio: 'pipe' });
  run('e2fsck', '-fn', target);
}

async function time(work: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Measures putting 68 MiB into a copy of a 1 GiB image beside plain debugfs, as whoever runs it. */
export async function main(): Promise<void> {
  const base = fileURLToPath(new URL('../.petri', import.meta.url));
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'bench-image-'));
  try {
    const source = join(folder, 'rootfs.ext4');
    const content = join(folder, 'content');
    mkdirSync(content);
    for (const [name, size] of Object.entries(sizes)) writeFileSync(join(content, name), randomBytes(size));
    // As full as a root file system is.
    copyFileSync(join(content, 'Image'), join(content, 'rootfs-content'));
    writeFileSync(source, '');
    truncateSync(source, IMAGE);
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-d', content, source);
    const files = Object.keys(sizes).map((name) => ({ path: `/cca/${name}`, source: join(content, name) }));
    const target = join(folder, 'derived.ext4');
    await deriveImage({ source, target, files }); // Starts the supervisor, once a process.
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(
        await time(async () => {
          await deriveImage({ source, target, files });
        }),
      );
      theirs.push(
        await time(() => {
          byHand(source, target, content);
        }),
      );
    }
    const [petri, peer] = [median(ours), median(theirs)];
    console.log(
      `68 MiB in ${String(files.length)} files into a copy of a 1 GiB image, as uid ${String(process.getuid?.())}`,
    );
    console.log(`  petri, read back and compared   ${petri.toFixed(0)} ms`);
    console.log(`  cp, debugfs and e2fsck by hand  ${peer.toFixed(0)} ms`);
    console.log(`  ratio                           ${(petri / peer).toFixed(2)}`);
  } finally {
    await Supervisor.current()?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
