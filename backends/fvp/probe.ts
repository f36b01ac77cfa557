import { execFile } from 'node:child_process';
import { access, statfs } from 'node:fs/promises';
import { freemem, tmpdir, totalmem } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import type { Missing, ProbeResult } from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { probeImageTools } from '../../petri/kit/image/index.ts';
import { scaled } from '../../petri/kit/cca/index.ts';
import { wholeBoot } from './budgets.ts';
import { MODEL_MEMORY, modelSlots } from './capacity.ts';
import { limits } from './identity.ts';
import { isExecutable, isInPath, MODEL_PATH_VARIABLE } from './model-start.ts';
import { readInstalledStack, stackRoot, type InstalledStack } from './stack/installed.ts';

/** Milliseconds for a program that only prints information about itself. */
const ASK = 20_000;

/** Bytes of free disk space for a copy of the root file system and the logs of a run. */
const DISK = 3 * 2 ** 30;

const GIB = 2 ** 30;

/** Name of the model by default. */
const MODEL_NAME = 'FVP_Base_RevC-2xAEMvA';

/** Maximum ratio of a guest's time to that in the simulator: up to 15 MIPS instead of some hundred. */
const FACTOR = 20;

/** @see Backend.probe */
export async function probe(): Promise<ProbeResult> {
  try {
    return await look(process.env, process.cwd());
  } catch (error) {
    const remedy = error instanceof PetriError ? error.remedy : undefined;
    return {
      available: false,
      missing: [{ what: firstLine(error), remedy: remedy ?? 'correct it, then run petri doctor again' }],
    };
  }
}

async function look(env: Readonly<Record<string, string | undefined>>, cwd: string): Promise<ProbeResult> {
  const missing: Missing[] = [];
  const facts: Record<string, string> = {};
  const parallel = modelSlots(env);
  missing.push(...(await probeImageTools()), ...memory(facts), ...(await disk(facts)));
  const stack = installed(stackRoot(cwd, env), missing);
  if (stack !== undefined) {
    missing.push(...(await files(stack)));
    missing.push(...(await model(stack, env, facts)));
    facts['stack.lock'] = stack.lockDigest;
    for (const [name, revision] of Object.entries(stack.revisions)) facts[`stack.${name}`] = revision;
  }
  if (missing.length > 0) return { available: false, missing };
  return {
    available: true,
    isolation: { cca: ['tmk', 'tmk.events', 'reset'] },
    limits,
    pace: { boot: wholeBoot(), factor: FACTOR, parallel },
    facts: { ...facts, models: `${parallel} at once`, ports: 'those that are free; the model reports which it took' },
  };
}

function installed(root: string, missing: Missing[]): InstalledStack | undefined {
  try {
    return readInstalledStack(root);
  } catch (error) {
    const remedy = error instanceof PetriError ? error.remedy : undefined;
    missing.push({ what: firstLine(error), remedy: remedy ?? 'run: npx petri cca install' });
    return undefined;
  }
}

async function files({ files: named }: InstalledStack): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const [name, path] of Object.entries(named)) {
    if (path === undefined || (await isThere(path))) continue;
    missing.push({ what: `the stack's ${name} is not at ${path}`, remedy: 'run: npx petri cca install' });
  }
  return missing;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function model(
  stack: InstalledStack,
  env: Readonly<Record<string, string | undefined>>,
  facts: Record<string, string>,
): Promise<Missing[]> {
  const { command, runtime, version } = stack.shrinkwrap;
  const own = env[MODEL_PATH_VARIABLE] ?? '';
  const missing: Missing[] = [];
  const hasTool = await isExecutable(command);
  if (hasTool) facts['shrinkwrap'] = version;
  const isEnough = own !== '' && stack.files.bl1 !== undefined && stack.files.fip !== undefined;
  if (!hasTool && !isEnough) {
    missing.push({ what: `shrinkwrap is not at ${command}`, remedy: 'run: npx petri cca install' });
  }
  if (own === '' && runtime !== 'null') return [...missing, ...(await container(runtime, facts))];
  const path = stack.environment['PATH'] ?? env['PATH'] ?? '';
  return [...missing, ...(await binary(own, path, facts))];
}

async function binary(own: string, path: string, facts: Record<string, string>): Promise<Missing[]> {
  const name = own === '' ? MODEL_NAME : own;
  if (!(await isInPath(name, path))) {
    return [
      {
        what:
          own === ''
            ? `the model ${MODEL_NAME} is not in PATH`
            : `${MODEL_PATH_VARIABLE} is ${own}, which is no program`,
        remedy:
          `get ${MODEL_NAME} from Arm's developer site, and set ${MODEL_PATH_VARIABLE} to its path; ` +
          'or install the stack with a container runtime, whose image has the model',
      },
    ];
  }
  const told = await ask(name, ['--version'], path);
  const [version] = /Fast Models [^\n]+/.exec(told.output) ?? [];
  if (version === undefined) {
    return [
      {
        what: `${name} --version does not report a version of Fast Models: ${told.problem ?? summary(told.output)}`,
        remedy: 'see that it runs by itself: its libraries, its licence and its architecture',
      },
    ];
  }
  facts['model'] = version.trim();
  return [];
}

async function container(runtime: string, facts: Record<string, string>): Promise<Missing[]> {
  const tool = runtime.startsWith('podman') ? 'podman' : 'docker';
  const told = await ask(tool, ['info'], process.env['PATH'] ?? '');
  if (told.problem === undefined) {
    facts['container'] = tool;
    return [];
  }
  return [
    {
      what: `${tool} cannot be used: ${told.problem}`,
      remedy:
        tool === 'docker'
          ? 'install docker.io, start it, and add yourself to the group docker (then log in again); or use the model without a container'
          : 'install podman; or use the model without a container',
    },
  ];
}

function memory(facts: Record<string, string>): Missing[] {
  facts['memory'] = `${gib(freemem())} of ${gib(totalmem())} GiB free`;
  if (totalmem() >= MODEL_MEMORY || (process.env['PETRI_FVP_MODELS'] ?? '') !== '') return [];
  return [
    {
      what: `a model needs ${gib(MODEL_MEMORY)} GiB of memory, and this machine has ${gib(totalmem())}`,
      remedy: 'use a bigger machine, or set PETRI_FVP_MODELS=1 to use it anyway',
    },
  ];
}

async function disk(facts: Record<string, string>): Promise<Missing[]> {
  const folder = tmpdir();
  const space = await statfs(folder).catch(() => undefined);
  if (space === undefined) {
    return [{ what: `there is no temporary folder ${folder}`, remedy: 'set TMPDIR to a folder that exists' }];
  }
  const free = space.bavail * space.bsize;
  facts['disk'] = `${gib(free)} GiB free in ${folder}`;
  if (free >= DISK) return [];
  return [
    {
      what: `${folder} has ${gib(free)} GiB free, and a run takes up to ${gib(DISK)}`,
      remedy: 'make room, or set TMPDIR to a folder that has it',
    },
  ];
}

interface Told {
  readonly output: string;
  readonly problem?: string;
}

/** Runs a program that prints something and ends by itself; after a time-out it is ended. */
async function ask(command: string, args: readonly string[], path: string): Promise<Told> {
  const env = { ...process.env, PATH: path };
  return await new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { env, timeout: scaled(ASK), killSignal: 'SIGKILL', maxBuffer: 1024 * 1024, encoding: 'utf8' },
      (error, stdout, stderr) => {
        const output = stripVTControlCharacters(`${stdout}\n${stderr}`);
        if (error === null) resolve({ output });
        else
          resolve({
            output,
            problem: error.killed === true ? `it did not end within ${ASK / 1000} s` : failure(error, output),
          });
      },
    );
    child.stdin?.end();
  });
}

function failure(error: Error, output: string): string {
  if ('code' in error && error.code === 'ENOENT') return 'there is no such program';
  const said = summary(output);
  return said === '' ? firstLine(error) : said;
}

function summary(output: string): string {
  return (output.split('\n').find((line) => line.trim() !== '') ?? '').trim().slice(0, 200);
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
