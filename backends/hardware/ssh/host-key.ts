import { createHash } from 'node:crypto';

import { PetriError } from '../../../petri/errors.ts';

/** As OpenSSH prints it: `SHA256:` and base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The algorithm that stands at the begin of every key blob (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const name = key.subarray(4, 4 + Math.min(length, 64)).toString('latin1');
  return /^[\x21-\x7e]+$/.test(name) ? name : 'unknown type';
}

/**
 * What one line of a hosts file allows: a fingerprint, or a public key as known_hosts and ssh-keyscan have it, with or without the
 * host before it.
 */
export function allowedFingerprint(line: string): string | undefined {
  const trimmed = line.trim();
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(trimmed)) return trimmed;
  const words = trimmed.split(/\s+/);
  const at = words.findIndex((word) => /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-/.test(word));
  const blob = at === -1 ? undefined : words[at + 1];
  if (blob === undefined || !/^[A-Za-z0-9+/]+=*$/.test(blob)) return undefined;
  const key = Buffer.from(blob, 'base64');
  return keyType(key) === words[at] ? fingerprint(key) : undefined;
}

/** Why a host key is not accepted; undefined where it is one of those that the hosts file allows. */
export function refuseHostKey(
  host: string,
  allowed: readonly string[] | undefined,
  key: Buffer,
): PetriError | undefined {
  const shown = fingerprint(key);
  const expected = (allowed ?? []).map((line) => ({ line, print: allowedFingerprint(line) }));
  const unreadable = expected.find(({ print }) => print === undefined);
  if (unreadable !== undefined) {
    return refusal(
      `the hostKey of ${host} is ${JSON.stringify(unreadable.line)}, which is neither a fingerprint nor a public key`,
      `write a fingerprint (SHA256:…) or a line that ssh-keyscan prints; the host showed ${keyType(key)} ${shown}`,
    );
  }
  if (expected.some(({ print }) => print === shown)) return undefined;
  if (expected.length === 0) {
    return refusal(
      `the key of ${host} is not known: it showed ${keyType(key)} ${shown}, and its hosts file names none`,
      `compare this with what the machine itself says (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then add hostKey: ${shown}`,
    );
  }
  return refusal(
    `the key of ${host} is not the one in the hosts file: it showed ${keyType(key)} ${shown}, expected ${expected.map(({ print }) => print).join(' or ')}`,
    'if the machine was installed anew, compare the key there and change hostKey; else somebody may be between you and it',
  );
}

function refusal(message: string, remedy: string): PetriError {
  return new PetriError(message, { code: 'host-key-refused', step: 'probe', remedy });
}
