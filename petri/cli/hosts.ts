import type { CAC } from 'cac';
import pc from 'picocolors';
import { z } from 'zod';

import type { HostControl, HostReport, HostUser, Missing } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { Supervisor } from '../kit/process/index.ts';
import { harmlessLine, harmlessMessage, print, printJson } from '../text/index.ts';
import { loadBackend } from '../vitest/index.ts';
import { exitCodes } from './errors.ts';
import { describeOptions, readOptions } from './options.ts';

const backendWithHosts = 'hardware';
const actions = z.enum(['on', 'off', 'cycle', 'status']);

export const hostsOptions = { json: { help: 'Print JSON', actions: ['list'] } } as const;

/** `petri hosts`: the machines of petri.hosts.yaml. */
export function registerHostsCommand(cli: CAC): void {
  describeOptions(
    cli.command(
      'hosts [action] [...arguments]',
      'List the machines of petri.hosts.yaml, who has them and what they can do',
    ),
    hostsOptions,
  )
    .usage(
      'hosts [--json]\n\n  hosts release HOST                   takes a machine from whoever has it\n  hosts power HOST on|off|cycle|status  switches its power',
    )
    .action(async (given: unknown, args: unknown) => {
      const action = z.string().optional().parse(given);
      // Without an action it lists.
      const options = readOptions(cli, 'hosts', hostsOptions, action ?? 'list');
      await hosts(action, z.array(z.string()).parse(args), options);
    });
}

async function hosts(
  action: string | undefined,
  args: readonly string[],
  { json = false }: { readonly json?: boolean | undefined },
): Promise<void> {
  const { hosts: control } = await loadBackend(backendWithHosts);
  if (control === undefined) throw usage(`the backend '${backendWithHosts}' has no hosts`);
  if (action === undefined) await list(control, json);
  else if (action === 'release') await release(control, args);
  else if (action === 'power') await power(control, args);
  else throw usage(`petri hosts has no action '${action}'`);
}

async function list(control: HostControl, json: boolean): Promise<void> {
  const reports = await control.list();
  if (json) printJson(reports);
  else print(`${reports.map(describe).join('\n\n')}\n`);
  if (reports.some(({ problem }) => problem !== undefined)) process.exitCode = exitCodes.failure;
}

async function release(control: HostControl, args: readonly string[]): Promise<void> {
  const [host, ...rest] = args;
  if (host === undefined || rest.length > 0) throw usage('petri hosts release takes the name of one host');
  const count = await control.release(host);
  print(count === 0 ? `nobody had ${host}\n` : `${host} is free; it was taken from ${String(count)}\n`);
}

async function power(control: HostControl, args: readonly string[]): Promise<void> {
  const [host, wanted, ...rest] = args;
  const action = actions.safeParse(wanted);
  if (host === undefined || !action.success || rest.length > 0) {
    throw usage('petri hosts power takes the name of a host, and on, off, cycle or status');
  }
  try {
    print(`${harmlessMessage(await control.power(host, action.data))}\n`);
  } finally {
    // The switch may have been a program.
    await Supervisor.current()?.close();
  }
}

function describe(host: HostReport): string {
  const state = host.problem === undefined ? pc.green('reached') : pc.yellow('not reached');
  const tags = host.tags.length > 0 ? `  ${pc.dim(host.tags.join(', '))}` : '';
  return [
    `${pc.bold(host.name)}  ${state}  ${host.address}${tags}`,
    ...(host.problem === undefined ? [] : shortcoming(host.problem)),
    ...Object.entries(host.isolation).flatMap(([type, has]) =>
      'what' in has
        ? [`  ${pc.cyan(type.padEnd(5))} no`, ...shortcoming(has)]
        : [`  ${pc.cyan(type.padEnd(5))} ${has.join(', ')}`],
    ),
    ...host.holders.map((user) => `  used by ${describeUser(user)}`),
    ...host.waiting.map((user, index) => `  waiting, number ${String(index + 1)}: ${describeUser(user)}`),
    ...(host.problem === undefined && host.holders.length < host.capacity
      ? [`  free: ${String(host.capacity - host.holders.length)} of ${String(host.capacity)}`]
      : []),
    ...Object.entries(host.facts).map(([name, value]) => pc.dim(`  ${name}: ${harmlessLine(value)}`)),
  ].join('\n');
}

function describeUser({ owner, since }: HostUser): string {
  return `${harmlessLine(owner)} for ${since < 120 ? `${String(since)} s` : `${String(Math.floor(since / 60))} min`}`;
}

function shortcoming({ what, remedy }: Missing): string[] {
  return [
    `  ${pc.yellow('missing')}: ${harmlessLine(what)}`,
    ...(remedy === '' ? [] : [`  remedy:  ${harmlessLine(remedy)}`]),
  ];
}

function usage(message: string): PetriError {
  return new PetriError(message, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'petri hosts --help describes it',
  });
}
