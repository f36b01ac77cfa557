import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readMisbehaviour } from '../misbehaviour.ts';
import { realmBoot, realmCreated, realmDestroyed } from '../model/boot-texts.ts';
import { lkvmHelp, parseLkvm, type LkvmArguments } from './lkvm-arguments.ts';
import { print, reach } from './model-client.ts';

/** Code with which kvmtool dies (util/util.c). */
const DIED = 128;

/** Ctrl-A x ends kvmtool (term.c). */
const ESCAPE = 0x01;

/**
 * Moments that plane 0's boot lasts for whoever furnishes its root folder; it takes some twenty seconds on the real
 * machine.
 */
const BOOT_MOMENTS = 300;

/** `lkvm run`: makes a realm with RMM's and its own lines, and runs a shell as plane 0. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.join(' ') === 'run --help') {
    process.stdout.write(lkvmHelp);
    process.exitCode = 129;
    return;
  }
  const options = parseLkvm(argv);
  if (typeof options === 'string') return die(`Error: ${options}`, 129);
  const failure = readMisbehaviour(process.env).number('lkvm');
  if (failure !== undefined) return die('Error: KVM_CREATE_VM ioctl', failure);
  if (!existsSync(options.kernel)) return die(`Fatal: Couldn't open kernel image '${options.kernel}'`, DIED);
  if (!options.realm) return die('Fatal: this stand-in makes realms alone', DIED);
  const root = makeRootFolder();
  await reach('realm');
  const [command = '', populated = '', ...kernel] = realmBoot(options.megabytes);
  process.stdout.write(`${command}\n${populated}\n`);
  await print(3, realmCreated);
  const boot = kernel.map((line) => `${line}\r\n`).join('');
  if (options.earlyConsole) process.stdout.write(boot);
  await furnished(root);
  await reach('plane0');
  // Without an early console all of it comes when hvc0 is there.
  if (!options.earlyConsole) process.stdout.write(boot);
  await runPlane0(options, root);
  process.stdout.write('[   99.105003] reboot: Power down\r\n');
  process.stdout.write('  Info: KVM session ended normally.\n');
  await print(3, realmDestroyed);
  process.exit(0);
}

function die(message: string, code: number): void {
  process.stderr.write(`  ${message}\n`);
  process.exitCode = code;
}

/** kvmtool's own root file system for guests without a disk (builtin-setup.c). */
function makeRootFolder(): string {
  const root = join(process.env['HOME'] ?? '/', '.lkvm/default');
  for (const folder of ['dev', 'etc', 'home', 'host', 'proc/sys/kernel', 'root', 'sys', 'tmp', 'virt']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'virt/init'), '');
  return root;
}

async function furnished(root: string): Promise<void> {
  for (let moment = 0; moment < BOOT_MOMENTS; moment++) {
    if (existsSync(join(root, 'root/plane0-agent.sh'))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A shell on a terminal of its own, as kvmtool's init starts it. Resolves when it ends or powers the realm off. */
async function runPlane0(options: LkvmArguments, root: string): Promise<void> {
  const shell = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'script', '-q', '-e', '-f', '-E', 'always', '-c', 'exec sh -i', '/dev/null'],
    {
      cwd: root,
      env: {
        ...process.env,
        HOME: join(root, 'root'),
        PETRI_ROOT: root,
        PETRI_STAND_IN_9P_FOLDER: options.share.folder,
        PETRI_STAND_IN_9P_TAG: options.share.tag,
        PETRI_STAND_IN_PID: String(process.pid),
        PETRI_STAND_IN_REALM: JSON.stringify({
          megabytes: options.megabytes,
          algorithm: options.algorithm,
          rpv: options.rpv,
        }),
        PS1: 'sh-5.2# ',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => {
    shell.on('close', () => resolve());
    process.on('SIGUSR2', () => shell.kill('SIGKILL'));
  });
  connectTerminal(shell);
  await ended;
}

function connectTerminal(shell: ChildProcess): void {
  const { stdin, stdout } = shell;
  let escaped = false;
  stdin?.on('error', () => {});
  process.stdin.on('data', (bytes: Buffer) => {
    if (escaped && bytes[0] === 0x78) shell.kill('SIGKILL');
    escaped = bytes.at(-1) === ESCAPE;
    stdin?.write(bytes);
  });
  process.stdin.on('end', () => process.exit(1));
  stdout?.on('data', (bytes: Buffer) => process.stdout.write(bytes));
}
