import { access, constants, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { PetriError } from '../../petri/errors.ts';
import type { Supervisor } from '../../petri/kit/process/index.ts';
import { within } from '../../petri/kit/cca/index.ts';
import { scaled } from './budgets.ts';
import { modelParameters } from './model-parameters.ts';
import { adaptRunScript, MODEL_VARIABLE } from './run-script.ts';
import type { InstalledStack } from './stack/installed.ts';

/** Environment variable with the path of a model to start without a container. */
export const MODEL_PATH_VARIABLE = 'PETRI_FVP_MODEL';

/** Linux command line of the host. */
const COMMAND_LINE = 'console=ttyAMA0 earlycon=pl011,0x1c090000 root=/dev/vda ip=dhcp';

/** Milliseconds for `shrinkwrap run --dry-run`, which only reads files. */
const DRY_RUN = 120_000;

/** Bytes of a script that are read. */
const MAX_SCRIPT = 1024 * 1024;

export interface ModelStartOptions {
  readonly stack: InstalledStack;
  /** The root file system, which the model may write to. */
  readonly rootfs: string;
  /** Folder for files of the start; removed with the model. */
  readonly folder: string;
  readonly supervisor: Supervisor;
  readonly signal: AbortSignal;
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The command that runs a model. */
export interface ModelStart {
  readonly how: 'through shrinkwrap, in a container' | 'by the script of shrinkwrap' | 'without shrinkwrap';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Set if the model runs in a container, which signals do not reach. */
  readonly container?: 'docker' | 'podman';
}

/**
 * With a pipe as its output the model buffers it in blocks, including the ports, so it gets a terminal if script(1) is
 * available. The command is for a shell and contains no text of ours: the path is in a variable.
 */
const TERMINAL = ['script', '-qefc', 'exec bash "$PETRI_RUN_SCRIPT"', '/dev/null'] as const;

/** If there is no script(1). */
const LINE_BUFFERED = ['stdbuf', '-oL', '-eL'] as const;

/** @throws PetriError `stack-invalid`, `tool-missing`, `tool-failed`, and what the supervisor throws */
export async function planModelStart(options: ModelStartOptions): Promise<ModelStart> {
  const { stack, rootfs, env = process.env } = options;
  refuseBlanks(rootfs);
  const model = env[MODEL_PATH_VARIABLE] ?? '';
  if (model === '' && stack.shrinkwrap.runtime !== 'null') return throughShrinkwrap(options, stack.shrinkwrap.runtime);
  if (model === '' || (await isExecutable(stack.shrinkwrap.command))) return await byScript(options, model);
  return await withoutShrinkwrap(options, model);
}

function throughShrinkwrap({ stack, rootfs }: ModelStartOptions, runtime: string): ModelStart {
  return {
    how: 'through shrinkwrap, in a container',
    command: stack.shrinkwrap.command,
    args: [...globalOptions(stack, runtime), ...runCommand(stack, rootfs)],
    env: stack.environment,
    container: runtime.startsWith('podman') ? 'podman' : 'docker',
  };
}

async function byScript(options: ModelStartOptions, model: string): Promise<ModelStart> {
  const { stack, folder } = options;
  const printed = await dryRun(options);
  const path = stack.environment['PATH'] ?? process.env['PATH'] ?? '';
  const [terminal, ...terminalArgs] = TERMINAL;
  const hasTerminal = await isInPath(terminal, path);
  const prefix = !hasTerminal && (await isInPath(LINE_BUFFERED[0], path)) ? LINE_BUFFERED : [];
  const script = adaptRunScript(printed, { ownModel: model !== '', prefix });
  if (model === '' && !(await isInPath(script.model, path))) throw modelMissing(script.model);
  const file = join(folder, 'run.sh');
  await writeFile(file, script.text, { mode: 0o600 });
  const scratch = join(folder, 'scratch');
  await mkdir(scratch, { recursive: true });
  return {
    how: 'by the script of shrinkwrap',
    ...(hasTerminal ? { command: terminal, args: terminalArgs } : { command: 'bash', args: [file] }),
    env: {
      ...stack.environment,
      // The script makes a folder for EDK2 with `mktemp -d`, and leaves it behind when it is killed.
      TMPDIR: scratch,
      SHELL: '/bin/sh',
      PETRI_RUN_SCRIPT: file,
      [MODEL_VARIABLE]: model,
    },
  };
}

async function dryRun({ stack, rootfs, supervisor, signal }: ModelStartOptions): Promise<string> {
  const run = await supervisor.spawn({
    name: 'shrinkwrap run --dry-run',
    command: stack.shrinkwrap.command,
    args: [...globalOptions(stack, 'null'), ...runCommand(stack, rootfs), '--dry-run'],
    env: stack.environment,
  });
  let printed = '';
  let complaints = '';
  run.stdout.on('data', (chunk: Buffer) => {
    if (printed.length < MAX_SCRIPT) printed += chunk.toString('utf8');
  });
  run.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString('utf8')).slice(-4000);
  });
  try {
    const exit = await within(run.exited, scaled(DRY_RUN), 'the end of `shrinkwrap run --dry-run`', signal);
    if (exit.code === 0) return printed;
    throw new PetriError(`shrinkwrap does not report how to start the model: it ${exit.describe()}`, {
      code: 'tool-failed',
      step: 'launch',
      remedy: 'run: npx petri cca status',
      transcriptTail: [...printed.trimEnd().split('\n').slice(-5), complaints.trimEnd()].join('\n').trim(),
    });
  } finally {
    await run.stop({ graceMs: 0 });
  }
}

async function withoutShrinkwrap({ stack, rootfs, folder }: ModelStartOptions, model: string): Promise<ModelStart> {
  const { bl1, fip, hostKernel, deviceTree } = stack.files;
  if (bl1 === undefined || fip === undefined || hostKernel === undefined || deviceTree === undefined) {
    throw new PetriError(
      `${stack.shrinkwrap.command} is missing, and the stack does not list the files that the model boots`,
      {
        code: 'stack-invalid',
        step: 'launch',
        remedy: 'run: npx petri cca install',
      },
    );
  }
  const semihosting = join(folder, 'semihosting');
  await mkdir(semihosting, { recursive: true });
  await copyFile(hostKernel, join(semihosting, 'Image'));
  await copyFile(deviceTree, join(semihosting, 'fdt.dtb'));
  await writeFile(join(semihosting, 'startup.nsh'), `Image dtb=fdt.dtb ${COMMAND_LINE}\n`);
  const parameters = modelParameters({ bl1, fip, semihosting, rootfs }).flatMap(([name, value]) => [
    '-C',
    `${name}=${value}`,
  ]);
  const [command = model, ...prefix] = (await isInPath(LINE_BUFFERED[0], process.env['PATH'] ?? ''))
    ? [...LINE_BUFFERED, model]
    : [model];
  return { how: 'without shrinkwrap', command, args: [...prefix, '--stat', ...parameters], env: {} };
}

function globalOptions({ shrinkwrap }: InstalledStack, runtime: string): string[] {
  const image = shrinkwrap.image === undefined || runtime === 'null' ? [] : ['--image', shrinkwrap.image];
  return ['--runtime', runtime, ...image];
}

function runCommand({ config, overlays }: InstalledStack, rootfs: string): string[] {
  return [
    'run',
    config,
    ...overlays.flatMap((overlay) => ['--overlay', overlay]),
    '--rtvar',
    `ROOTFS=${rootfs}`,
    '--no-color',
  ];
}

/** shrinkwrap inserts paths into a shell script without quoting. */
function refuseBlanks(path: string): void {
  if (/^[\w./+@%,:=-]+$/.test(path)) return;
  throw new PetriError(`shrinkwrap cannot take a path such as ${JSON.stringify(path)}`, {
    code: 'invalid-option',
    step: 'launch',
    remedy: 'set TMPDIR to a folder whose path has only letters, digits and ./+@%,:=_-',
  });
}

function modelMissing(name: string): PetriError {
  return new PetriError(`the model ${name} is not in PATH`, {
    code: 'tool-missing',
    step: 'launch',
    remedy: `set ${MODEL_PATH_VARIABLE} to the path of the model, put it into PATH, or install the stack with a container runtime`,
  });
}

export async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

export async function isInPath(command: string, path: string): Promise<boolean> {
  if (basename(command) !== command) return await isExecutable(command);
  for (const folder of path.split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, command)))) return true;
  }
  return false;
}
