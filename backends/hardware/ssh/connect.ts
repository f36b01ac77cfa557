import type { Readable } from 'node:stream';

import type { AuthenticationType, Client, ConnectConfig } from 'ssh2';

import { slowFactor } from '../../../petri/slow-factor.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { SshTarget } from '../hosts/schema.ts';
import { lost, loginFailure, type LoginProgress, type SshFailure } from './connection-failure.ts';
import { credentials, type Credentials } from './credentials.ts';
import { algorithmsOf, HostKeys, keyType, withoutType, type HostKeyAlgorithm, type KeyType } from './host-key.ts';
import { loadSsh2 } from './ssh2.ts';

export interface ConnectOptions {
  /** For messages. */
  readonly name: string;
  readonly target: SshTarget;
  readonly jump?: SshTarget | undefined;
  /** Seconds between keep-alive messages; three that are missed end the connection. */
  readonly keepAlive: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds from the first packet to the end of the login. */
const READY_TIMEOUT = 20_000;

/** Types of accepted host keys, to be requested first when connecting again. */
const accepted = new WeakMap<SshTarget, string>();

/**
 * Connects and logs in.
 *
 * @throws PetriError `host-key-refused`, `key-exchange-failed`, `authentication-failed`, `tool-missing`, for which a
 *   retry is pointless; `connection-failed`, for which it is not
 */
export async function connectSsh(options: ConnectOptions): Promise<Client> {
  const { jump, target } = options;
  if (jump === undefined) return await login(options, target);
  const gate = await login({ ...options, name: `the jump host of ${options.name}` }, jump);
  try {
    const client = await login(options, target, () => tunnel(options, gate));
    client.once('close', () => gate.end());
    return client;
  } catch (error) {
    gate.destroy();
    throw error;
  }
}

async function tunnel({ name, target: { address, port } }: ConnectOptions, gate: Client): Promise<Readable> {
  return await new Promise<Readable>((resolve, reject) => {
    gate.once('close', () => {
      reject(lost(name, 'the jump host ended the connection'));
    });
    gate.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(lost(`${name}, from its jump host,`, error.message, error));
    });
  });
}

/** Logs in with the first known host key that the server has. */
async function login(options: ConnectOptions, target: SshTarget, connect?: () => Promise<Readable>): Promise<Client> {
  const keys = new HostKeys(options.name, target.hostKey);
  const secrets = await credentials(target);
  const shown: Buffer[] = [];
  const before = accepted.get(target);
  let exploring = false;
  let types: readonly KeyType[] = [...keys.types].sort(
    (one, other) => Number(other === before) - Number(one === before),
  );
  for (;;) {
    if (options.signal?.aborted === true) throw lost(options.name, 'it was aborted');
    const attempt: Attempt = { keys, secrets, algorithms: algorithmsOf(types), sock: await connect?.() };
    try {
      const client = await logInOnce(options, target, attempt);
      if (attempt.shown !== undefined) accepted.set(target, keyType(attempt.shown));
      return client;
    } catch (error) {
      if (attempt.shown !== undefined && attempt.verdict !== 'accepted') {
        shown.push(attempt.shown);
        types = withoutType(types, keyType(attempt.shown));
        if (attempt.verdict === 'again' && types.length > 0 && !exploring) continue;
        throw keys.refusal(shown);
      }
      if (!hasNoSuchHostKey(error)) throw error;
      if (shown.length > 0 || exploring) throw keys.refusal(shown);
      // The message should show which key the server has instead.
      exploring = true;
      types = keys.otherTypes;
      if (types.length === 0) throw keys.refusal(shown);
    }
  }
}

function hasNoSuchHostKey(error: unknown): boolean {
  return error instanceof PetriError && error.code === 'key-exchange-failed' && /host key format/.test(error.message);
}

interface Attempt {
  readonly keys: HostKeys;
  readonly secrets: Credentials;
  readonly algorithms: HostKeyAlgorithm[];
  readonly sock: Readable | undefined;
  shown?: Buffer;
  verdict?: ReturnType<HostKeys['judge']>;
}

async function logInOnce(
  { name, keepAlive, signal }: ConnectOptions,
  target: SshTarget,
  attempt: Attempt,
): Promise<Client> {
  const { Client } = await loadSsh2();
  const { path: _path, ...secrets } = attempt.secrets;
  const progress: LoginProgress = { offered: [], partial: false, agent: undefined };
  const methods: ('none' | 'publickey' | 'agent')[] = [
    'none',
    ...(secrets.privateKey === undefined ? [] : ['publickey' as const]),
    ...(secrets.agent === undefined ? [] : ['agent' as const]),
  ];
  const config: ConnectConfig = {
    host: target.address,
    port: target.port,
    username: target.user,
    ...secrets,
    ...(attempt.sock === undefined ? {} : { sock: attempt.sock }),
    algorithms: { serverHostKey: attempt.algorithms },
    keepaliveInterval: keepAlive * 1000,
    keepaliveCountMax: 3,
    readyTimeout: READY_TIMEOUT * slowFactor(),
    hostVerifier: (key: Buffer) => {
      attempt.shown = Buffer.from(key);
      attempt.verdict = attempt.keys.judge(key);
      return attempt.verdict === 'accepted';
    },
    authHandler: (offered: AuthenticationType[] | null, partial: boolean | null, next) => {
      progress.offered = offered ?? [];
      progress.partial ||= partial ?? false;
      // ssh2 ends the login on `false`, which its type declarations lack.
      next(methods.shift() ?? (false as unknown as AuthenticationType));
    },
  };
  const client = new Client();
  // Every open channel adds a listener.
  client.setMaxListeners(0);
  return await new Promise<Client>((resolve, reject) => {
    const abort = (): void => {
      client.destroy();
      reject(lost(name, 'it was aborted'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    client.once('ready', () => {
      signal?.removeEventListener('abort', abort);
      resolve(client);
    });
    // Permanent: an unhandled error would end this process. After `ready` the close event is sufficient.
    client.on('error', (error: SshFailure) => {
      if (error.level === 'agent') {
        // The login continues without that key.
        progress.agent = error;
        return;
      }
      signal?.removeEventListener('abort', abort);
      reject(loginFailure(name, target, attempt.secrets, progress, error));
    });
    client.once('close', () => {
      signal?.removeEventListener('abort', abort);
      reject(lost(name, 'the connection ended while logging in', undefined, ENDED));
    });
    client.connect(config);
  });
}

const ENDED = 'look what its sshd logs: it may have too many logins at once (MaxStartups), or not allow this address';
