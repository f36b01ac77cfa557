import type { Readable } from 'node:stream';

import type { Client, ConnectConfig } from 'ssh2';

import { slowFactor } from '../../../petri/boot/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { SshTarget } from '../hosts/schema.ts';
import { credentials } from './credentials.ts';
import { refuseHostKey } from './host-key.ts';
import { loadSsh2 } from './ssh2.ts';

export interface ConnectOptions {
  /** For messages. */
  readonly name: string;
  readonly target: SshTarget;
  readonly jump?: SshTarget | undefined;
  /** Seconds between signs of life; three that are missed end the connection. */
  readonly keepAlive: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds from the first packet until somebody is logged in. */
const READY_TIMEOUT = 20_000;

/**
 * Connects and logs in, once.
 *
 * @throws PetriError `host-key-refused`, `authentication-failed`, `tool-missing`, which trying again does not change;
 *   `connection-failed`, where it may
 */
export async function connectSsh(options: ConnectOptions): Promise<Client> {
  if (options.jump === undefined) return await login(options, options.target);
  const gate = await login({ ...options, name: `the jump host of ${options.name}` }, options.jump);
  try {
    const { address, port } = options.target;
    const tunnel = await new Promise<Readable>((resolve, reject) => {
      gate.once('close', () => {
        reject(lost(options.name, 'the jump host ended the connection'));
      });
      gate.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(lost(`${options.name}, from its jump host,`, error.message, error));
      });
    });
    const client = await login(options, options.target, tunnel);
    client.once('close', () => gate.end());
    return client;
  } catch (error) {
    gate.destroy();
    throw error;
  }
}

async function login({ name, keepAlive, signal }: ConnectOptions, target: SshTarget, sock?: Readable): Promise<Client> {
  const { Client } = await loadSsh2();
  const secrets = await credentials(target);
  if (signal?.aborted === true) throw lost(name, 'it was given up');
  let refusal: PetriError | undefined;
  const config: ConnectConfig = {
    host: target.address,
    port: target.port,
    username: target.user,
    ...secrets,
    ...(sock === undefined ? {} : { sock }),
    keepaliveInterval: keepAlive * 1000,
    keepaliveCountMax: 3,
    readyTimeout: READY_TIMEOUT * slowFactor(),
    hostVerifier: (key: Buffer) => {
      refusal = refuseHostKey(name, target.hostKey, key);
      return refusal === undefined;
    },
  };
  const client = new Client();
  // Every channel waits for its end.
  client.setMaxListeners(0);
  return await new Promise<Client>((resolve, reject) => {
    const abort = (): void => {
      client.destroy();
      reject(lost(name, 'it was given up'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    client.once('ready', () => {
      signal?.removeEventListener('abort', abort);
      resolve(client);
    });
    // Stays: an error without a listener would end the process. After `ready` the close event tells all that matters.
    client.on('error', (error: Error & { level?: string }) => {
      signal?.removeEventListener('abort', abort);
      reject(refusal ?? failureOf(name, target, error));
    });
    client.once('close', () => {
      signal?.removeEventListener('abort', abort);
      reject(refusal ?? lost(name, 'the connection ended while logging in'));
    });
    client.connect(config);
  });
}

function failureOf(name: string, { user, address, port }: SshTarget, error: Error & { level?: string }): PetriError {
  if (error.level === 'client-authentication') {
    return new PetriError(`${name} does not let ${user} in: ${error.message}`, {
      code: 'authentication-failed',
      step: 'probe',
      remedy: `try ssh -p ${String(port)} ${user}@${address}; the public key must be in that user's authorized_keys`,
      cause: error,
    });
  }
  return lost(`${name} (${address}:${String(port)})`, error.message, error);
}

/** A connection that could not be made or that ended. */
export function lost(name: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`no connection to ${name}: ${why}`, {
    code: 'connection-failed',
    step: 'probe',
    remedy: 'look whether the machine is on, and whether address and port in the hosts file are right',
    ...(cause === undefined ? {} : { cause }),
  });
}
