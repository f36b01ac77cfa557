import { setTimeout as sleep } from 'node:timers/promises';

import { Supervisor } from '../../../petri/kit/process/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import { labgridCommand, type LabgridConfig } from './labgrid-client.ts';
import { PlaceGuard } from './labgrid-guard.ts';
import type { Lease, LeaseWait } from './lease.ts';

/** Milliseconds between two queries, and the time-out of one. */
const ASK = 2000;
const TIMEOUT = 30_000;

/** Milliseconds between two checks of a place's owner. */
const LOOK = 15_000;

/** Messages of labgrid's coordinator for a place that is acquired or reserved. */
const TAKEN = /already acquired|already locked|is acquired by|not reserved for/i;

/**
 * Acquires a place of a labgrid coordinator, through labgrid's own client. While another user has it the attempt is
 * repeated, since labgrid has no queue for a named place.
 *
 * The lease is lost once labgrid shows another owner, or none.
 *
 * @param look milliseconds between two checks of the owner
 * @throws PetriError `lease-lost`, `wait-timeout`, `tool-missing`
 */
export async function labgridLease(
  config: LabgridConfig,
  name: string,
  { signal, onWait }: LeaseWait,
  { look = LOOK }: { readonly look?: number } = {},
): Promise<Lease> {
  let told: string | undefined;
  for (;;) {
    const { code, said } = await client(config, ['acquire']);
    if (code === 0) break;
    if (!TAKEN.test(said)) {
      throw new PetriError(`labgrid does not give place ${config.place} for ${name}: ${last(said)}`, {
        code: 'lease-lost',
        step: 'launch',
        remedy: `try ${config.command.join(' ')} -p ${config.place} acquire`,
      });
    }
    if (said !== told) onWait?.(`${name}: ${last(said)}`);
    told = said;
    try {
      await sleep(ASK, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw new PetriError(`waiting for labgrid's place ${config.place} was aborted: ${last(said)}`, {
        code: 'wait-timeout',
        step: 'launch',
        remedy: 'labgrid-client who shows who has it',
        cause: error,
      });
    }
  }
  const guard = await PlaceGuard.start(config);
  let lose: (why: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (lose = resolve));
  let own: string | undefined;
  const check = async (): Promise<void> => {
    const owner = await ownerOf(config);
    if (owner === undefined) return;
    if (own === undefined && owner !== NOBODY) {
      // Our name in labgrid: LG_HOSTNAME and LG_USERNAME, or its client's defaults.
      own = owner;
      guard.holds(owner);
    } else if (owner !== own) {
      clearInterval(timer);
      const why = owner === NOBODY ? 'was released by somebody' : `was taken: ${owner} has it now`;
      lose(`labgrid's place ${config.place} ${why}`);
    }
  };
  let checking = false;
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    check()
      .catch(() => undefined)
      .finally(() => (checking = false));
  }, look);
  timer.unref();
  await check().catch(() => undefined);
  let releasing: Promise<void> | undefined;
  return {
    lost,
    waiting: 0,
    release: () => {
      clearInterval(timer);
      releasing ??= guard.release();
      return releasing;
    },
  };
}

/** labgrid's owner of a place that is free. */
const NOBODY = 'None';

/** HOST/USER, or NOBODY; undefined if labgrid does not show it. */
async function ownerOf(config: LabgridConfig): Promise<string | undefined> {
  const { code, said } = await client(config, ['show']);
  return code === 0 ? /^[ \t]*acquired:[ \t]*(\S+)[ \t]*$/im.exec(said)?.[1] : undefined;
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
  return { code: exit.code ?? 255, said: said.trim() };
}

/** The last lines, which contain the reason. */
function last(said: string): string {
  return said.split('\n').slice(-20).join('\n');
}
