import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { Supervisor, type SupervisedProcess } from '../../../petri/process/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import { labgridCommand, type LabgridConfig } from './labgrid-client.ts';
import type { Lease, LeaseWait } from './lease.ts';

/** Milliseconds between two questions, and those that one may take. */
const ASK = 2000;
const TIMEOUT = 30_000;

/** What the guard of a place ends with, for sh; another signal does not end it. */
const RELEASE = 'trap "" TERM; exec "$@"';

/**
 * Acquires a place of a labgrid coordinator, through labgrid's own client. What fails because somebody else has it is tried again;
 * labgrid itself has no queue for a named place.
 *
 * @throws PetriError `lease-lost`, `wait-timeout`, `tool-missing`
 */
export async function labgridLease(config: LabgridConfig, name: string, { signal, onWait }: LeaseWait): Promise<Lease> {
  let told = false;
  for (;;) {
    const { code, said } = await client(config, ['acquire']);
    if (code === 0) break;
    // The sentence of labgrid's coordinator for a place that somebody has.
    if (!/already acquired|already locked|is acquired by/i.test(said)) {
      throw new PetriError(`labgrid does not give place ${config.place} for ${name}: ${said}`, {
        code: 'lease-lost',
        step: 'launch',
        remedy: `try ${config.command.join(' ')} -p ${config.place} acquire`,
      });
    }
    if (!told) onWait?.(`${name}: ${said}`);
    told = true;
    try {
      await sleep(ASK, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw new PetriError(`waiting for labgrid's place ${config.place} was given up: ${said}`, {
        code: 'wait-timeout',
        step: 'launch',
        remedy: 'labgrid-client who shows who has it',
        cause: error,
      });
    }
  }
  const guard = await guardPlace(config);
  let lose: (why: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (lose = resolve));
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    const ask = async (): Promise<void> => {
      const { code, said } = await client(config, ['show']);
      if (code === 0 && /^\s*acquired: None\s*$/im.test(said))
        lose(`labgrid's place ${config.place} was released by somebody`);
    };
    ask()
      .catch(() => undefined)
      .finally(() => (asking = false));
  }, 15_000);
  timer.unref();
  let releasing: Promise<void> | undefined;
  return {
    lost,
    waiting: 0,
    release: () => {
      clearInterval(timer);
      releasing ??= letGo(guard);
      return releasing;
    },
  };
}

/**
 * A place stays acquired when whoever acquired it dies. So its release waits in a process that learns of our death by the end of
 * its input, or by the signal of the reaper, which leaves it the time to run.
 */
async function guardPlace(config: LabgridConfig): Promise<SupervisedProcess> {
  const supervisor = await Supervisor.open();
  const guard = await supervisor.spawn({
    name: `release of labgrid's place ${config.place}`,
    command: 'sh',
    args: [
      '-c',
      `trap '${RELEASE}' TERM; echo guarding; read line; ${RELEASE}`,
      'sh',
      ...labgridCommand(config, ['release']),
    ],
    graceMs: TIMEOUT,
  });
  // Before it says so, a signal would end it.
  await Promise.race([once(guard.stdout, 'data'), guard.exited]);
  return guard;
}

async function letGo(guard: SupervisedProcess): Promise<void> {
  guard.stdin.end();
  await guard.exited;
  await guard.stop();
}

async function client(config: LabgridConfig, wanted: readonly string[]): Promise<{ code: number; said: string }> {
  const [command = '', ...args] = labgridCommand(config, wanted);
  const supervisor = await Supervisor.open();
  const child = await supervisor.spawn({
    name: 'labgrid client',
    command,
    args,
    stdin: 'ignore',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      if (said.length < 64 * 1024) said += bytes.toString('utf8');
    });
  }
  const timer = setTimeout(() => void child.stop(), TIMEOUT);
  const exit = await child.exited;
  clearTimeout(timer);
  await child.stop();
  return { code: exit.code ?? 255, said: said.trim().split('\n').slice(-20).join('\n') };
}
