import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Missing } from '../../../petri/contract/index.ts';
import { expandHome } from '../../../petri/homes/index.ts';
import { findProgram } from '../../../petri/kit/stack/index.ts';
import type { HostConfig, SshTarget } from '../hosts/schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What this computer needs for the machines of a hosts file: keys, an agent, passwords, programs. */
export interface LocalNeeds {
  /** Where each is, or that it is missing. */
  readonly facts: Readonly<Record<string, string>>;
  readonly missing: readonly Missing[];
}

/** Checks local files and variables, without contacting a machine. Never throws. */
export function localNeeds(path: string, hosts: readonly HostConfig[], env: Environment = process.env): LocalNeeds {
  const missing: Missing[] = [];
  const look = (
    names: readonly string[],
    find: (name: string) => string | undefined,
    remedy: (name: string) => Missing,
  ) =>
    [...new Set(names)]
      .map((name) => {
        const found = find(name);
        if (found === undefined) missing.push(remedy(name));
        return found ?? `${name} (not there)`;
      })
      .join(', ');
  const targets: readonly SshTarget[] = hosts.flatMap((host) => [
    host,
    ...(host.jump === undefined ? [] : [host.jump]),
  ]);
  const keys = look(
    targets.flatMap(({ identityFile }) => (identityFile === undefined ? [] : [identityFile])),
    (file) => (readable(expandHome(file)) ? file : undefined),
    (file) => ({ what: `the key ${file} cannot be read`, remedy: 'correct identityFile in the hosts file' }),
  );
  const wantsAgent = targets.some(({ agent, identityFile }) => agent ?? identityFile === undefined);
  const agents = wantsAgent
    ? look(
        [env['SSH_AUTH_SOCK'] ?? ''],
        (socket) => (socket !== '' && existsSync(socket) ? socket : undefined),
        () => ({
          what: 'there is no SSH agent at SSH_AUTH_SOCK, and a host wants one',
          remedy: 'start ssh-agent and ssh-add a key, or name an identityFile',
        }),
      )
    : '';
  const variables = look(
    [...targets.map(({ passphraseEnv }) => passphraseEnv), ...hosts.map(passwordOf)].filter(
      (name) => name !== undefined,
    ),
    (name) => ((env[name] ?? '') === '' ? undefined : name),
    (name) => ({ what: `the variable ${name} is not set`, remedy: `set ${name}, which the hosts file names` }),
  );
  const programs = look(
    hosts.flatMap(programsOf),
    (program) => findHere(program, env),
    (program) => ({ what: `there is no program ${program} here`, remedy: `install it: ${purpose(program)}` }),
  );
  const facts = {
    'hosts file': path,
    'ssh config': '~/.ssh/config is not read: the hosts file says all',
    keys,
    'SSH agent': agents,
    passwords: variables,
    programs,
    Redfish: hosts.some(({ power }) => power?.kind === 'redfish') ? 'needs no program here' : '',
  };
  return { facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== '')), missing };
}

function passwordOf({ power }: HostConfig): string | undefined {
  return power !== undefined && 'passwordEnv' in power ? power.passwordEnv : undefined;
}

/** Programs that run on this computer. */
function programsOf({ power, lease, consoles }: HostConfig): string[] {
  const commands =
    power?.kind === 'command' ? [power.on, power.off, power.cycle, power.status].map((argv) => argv?.[0]) : [];
  return [
    ...commands,
    power?.kind === 'ipmi' ? power.command : undefined,
    lease.kind === 'labgrid' ? lease.command[0] : undefined,
    ...consoles.flatMap((source) => (source.kind === 'command' ? [source.argv[0], source.end?.[0]] : [])),
  ].filter((program) => program !== undefined);
}

function purpose(program: string): string {
  if (/ipmitool$/.test(program)) return 'apt-get install ipmitool; power of kind ipmi is switched with it';
  if (/labgrid|python/.test(program))
    return "labgrid's client (pip install labgrid) acquires the places of the hosts file";
  return 'the hosts file names it';
}

function findHere(program: string, env: Environment): string | undefined {
  if (!program.includes('/')) return findProgram(program, env);
  return readable(resolve(program), constants.X_OK) ? resolve(program) : undefined;
}

function readable(path: string, mode = constants.R_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
