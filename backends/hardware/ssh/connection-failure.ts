import { existsSync } from 'node:fs';

import { PetriError, type PetriErrorCode } from '../../../petri/errors.ts';
import type { SshTarget } from '../hosts/schema.ts';
import type { Credentials } from './credentials.ts';

/** Progress of a login. */
export interface LoginProgress {
  /** Methods in the server's last answer (RFC 4252, 5.1). */
  offered: readonly string[];
  /** Whether it accepted one of our methods and requires another one in addition. */
  partial: boolean;
  /** The agent's error. */
  agent: Error | undefined;
}

/** An error of ssh2: `level` is the part of the protocol. */
export type SshFailure = Error & { readonly level?: string };

/** The error for a connection that failed or ended; a retry may succeed. */
export function lost(name: string, why: string, cause?: unknown, remedy = LOOK): PetriError {
  return failure('connection-failed', `no connection to ${name}: ${why}`, remedy, cause);
}

const LOOK = 'look whether the machine is on, and whether address and port in the hosts file are right';
const BUSY = 'something answers at that address and port: look whether it is sshd, and what its log says';

/** The error of a login, by the part that failed: key exchange, authentication, or the connection itself. */
export function loginFailure(
  name: string,
  target: SshTarget,
  secrets: Credentials,
  progress: LoginProgress,
  error: SshFailure,
): PetriError {
  const where = `${name} (${target.address}:${String(target.port)})`;
  if (error.level === 'client-authentication' || /too many authentication failures/i.test(error.message)) {
    return authenticationFailure(name, target, secrets, progress, error);
  }
  if (error.level === 'handshake') {
    const kind = /no matching (.*)/.exec(error.message)?.[1];
    const why = kind === undefined ? error.message : `there is no ${kind} that both sides know`;
    return failure(
      'key-exchange-failed',
      `the key exchange with ${where} failed: ${why}`,
      'compare with what its sshd allows: KexAlgorithms, HostKeyAlgorithms, Ciphers, MACs of `sshd -T`; it may be too old, or allow too little',
      error,
    );
  }
  return lost(where, error.message, error, error.level === 'client-socket' ? LOOK : BUSY);
}

function authenticationFailure(
  name: string,
  { user, address, port, identityFile }: SshTarget,
  secrets: Credentials,
  { offered, partial, agent }: LoginProgress,
  error: SshFailure,
): PetriError {
  const refused = (why: string, remedy: string): PetriError =>
    failure('authentication-failed', `${name} does not let ${user} in: ${why}`, remedy, error);
  const methods = offered.join(', ');
  if (partial) {
    return refused(
      `it took the key, and wants a second factor besides (${methods}), which a run cannot give`,
      'let its sshd take the key alone for this user: AuthenticationMethods publickey',
    );
  }
  if (/too many authentication failures/i.test(error.message)) {
    return refused(
      'it counts too many failures, before the right key was tried',
      'name the key as identityFile, with agent: false, or raise MaxAuthTries in its sshd_config',
    );
  }
  if (offered.length > 0 && !offered.includes('publickey')) {
    return refused(`it takes no public keys, only ${methods}`, 'set PubkeyAuthentication yes in its sshd_config');
  }
  if (agent !== undefined) {
    return refused(
      `the SSH agent failed: ${agent.message}`,
      'look whether SSH_AUTH_SOCK is an agent that runs (ssh-add -l), or name an identityFile',
    );
  }
  const certificate = identityFile === undefined ? undefined : certificateOf(secrets.path ?? identityFile);
  if (certificate !== undefined) {
    return refused(
      `it does not know the key itself, and the certificate ${certificate} is not used: user certificates are not supported`,
      "put the public key into that user's authorized_keys",
    );
  }
  return refused(
    `it knows none of ${identityFile === undefined ? 'the keys of the SSH agent (certificates there are not supported)' : `the keys that it was shown, ${identityFile}${secrets.agent === undefined ? '' : " and the SSH agent's"}`}`,
    `try ssh -p ${String(port)} ${user}@${address}; the public key must be in that user's authorized_keys`,
  );
}

/** Path of the certificate that OpenSSH would use with a key (ssh_config, CertificateFile). */
function certificateOf(path: string): string | undefined {
  const certificate = `${path}-cert.pub`;
  return existsSync(certificate) ? certificate : undefined;
}

/**
 * The error for a machine that accepts the login but does not run commands.
 *
 * @param said the end of its login shell's output
 */
export function shellFailure(
  { name, user }: { readonly name: string; readonly user: string },
  how: string,
  said: string,
  cause?: unknown,
): PetriError {
  const words = said.trim().slice(-1000);
  const kind = SHELL_FAILURES.find(({ sign }) => sign.test(words)) ?? {
    why: 'what it runs instead of a command may be a forced command, or its login files may end it',
    remedy: `give ${user} a POSIX shell or fish, no forced command, and login files that go on where nobody types`,
  };
  return failure(
    'shell-unusable',
    `${name} lets ${user} in and runs no commands for it (${how}): ${kind.why}${words === '' ? '' : `\n${words}`}`,
    kind.remedy,
    cause,
  );
}

const SHELL_FAILURES: readonly { readonly sign: RegExp; readonly why: string; readonly remedy: string }[] = [
  {
    sign: /restricted/i,
    why: 'its login shell is a restricted one',
    remedy: 'give that user an unrestricted POSIX shell, or fish',
  },
  {
    sign: /\bsh\b.*not found|not found.*\bsh\b|\bsh\b.*no such file|unknown command.*\bsh\b/i,
    why: 'it has no sh that its login shell finds',
    remedy: 'put a POSIX sh (dash, bash or busybox) into the PATH of that user',
  },
  {
    sign: /account is (currently )?not available|nologin|sftp connections only|no shell access/i,
    why: 'that account has no shell',
    remedy: 'give that user a POSIX shell or fish as its login shell, and no ForceCommand',
  },
];

function failure(code: PetriErrorCode, message: string, remedy: string, cause?: unknown): PetriError {
  return new PetriError(message, { code, step: 'probe', remedy, ...(cause === undefined ? {} : { cause }) });
}
