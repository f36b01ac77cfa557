import { readFileSync } from 'node:fs';

import { PetriError } from '../../../petri/errors.ts';
import { expandHome } from '../../../petri/homes/index.ts';
import type { SshTarget } from '../hosts/schema.ts';
import { loadSsh2 } from './ssh2.ts';

/** Credentials in the format of ssh2. */
export interface Credentials {
  readonly privateKey?: Buffer;
  readonly passphrase?: string;
  readonly agent?: string;
  /** Of the private key. */
  readonly path?: string;
}

/**
 * The key file or agent of a target, else the agent.
 *
 * @throws PetriError `authentication-failed` if there is none
 */
export async function credentials(
  target: SshTarget,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Credentials> {
  const socket = env['SSH_AUTH_SOCK'];
  const wantsAgent = target.agent ?? target.identityFile === undefined;
  if (wantsAgent && target.identityFile === undefined && (socket === undefined || socket === '')) {
    throw failure(
      `there is no SSH agent to log in to ${target.address} with: SSH_AUTH_SOCK is not set`,
      'start ssh-agent and ssh-add a key, or name an identityFile',
    );
  }
  return {
    ...(wantsAgent && socket !== undefined && socket !== '' ? { agent: socket } : {}),
    ...(target.identityFile === undefined ? {} : await readKey(target, target.identityFile, env)),
  };
}

async function readKey(
  target: SshTarget,
  identityFile: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials> {
  const path = expandHome(identityFile);
  let privateKey: Buffer;
  try {
    privateKey = readFileSync(path);
  } catch (error) {
    throw failure(
      `the key for ${target.address} cannot be read: ${reason(error)}`,
      'correct identityFile in the hosts file',
      error,
    );
  }
  if (/^\S+-cert-v01@openssh\.com /.test(privateKey.toString('latin1', 0, 100))) {
    throw failure(
      `${path} is a certificate, and user certificates are not supported`,
      `name the private key as identityFile, and put its public key into authorized_keys of ${target.address}`,
    );
  }
  const passphrase = target.passphraseEnv === undefined ? undefined : env[target.passphraseEnv];
  const { utils } = await loadSsh2();
  const parsed = utils.parseKey(privateKey, passphrase);
  if (parsed instanceof Error) {
    throw failure(
      `the key ${path} cannot be used: ${parsed.message}`,
      target.passphraseEnv === undefined
        ? 'if it has a passphrase, name the variable that has it as passphraseEnv, or let an agent hold the key'
        : `look whether ${target.passphraseEnv} is set to its passphrase`,
    );
  }
  return { privateKey, path, ...(passphrase === undefined ? {} : { passphrase }) };
}

function failure(message: string, remedy: string, cause?: unknown): PetriError {
  return new PetriError(message, {
    code: 'authentication-failed',
    step: 'probe',
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
