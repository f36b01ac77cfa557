import { createHash } from 'node:crypto';

import { PetriError } from '../../../petri/errors.ts';

/** In OpenSSH's format: `SHA256:` and base64 without padding. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The algorithm at the start of every key blob (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const name = key.subarray(4, 4 + Math.min(length, 64)).toString('latin1');
  return /^[\x21-\x7e]+$/.test(name) ? name : 'unknown type';
}

/**
 * Signature algorithms to request, by type of the host key, best first. An RSA key supports all of RFC 8332's; SHA-1,
 * the only one of old servers, comes last.
 */
const ALGORITHMS = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
} as const;

export type KeyType = keyof typeof ALGORITHMS;
export type HostKeyAlgorithm = (typeof ALGORITHMS)[KeyType][number];

const KEY_TYPES = Object.keys(ALGORITHMS) as readonly KeyType[];
/** Types in the output of ssh-keygen -l. ECDSA is any of three. */
const PRINTED_TYPES: Readonly<Record<string, readonly KeyType[]>> = {
  ED25519: ['ssh-ed25519'],
  RSA: ['ssh-rsa'],
  ECDSA: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
};

/** A host key in a line of a hosts file. */
interface KnownKey {
  readonly print: string;
  /** Possible types of the key; undefined if only its fingerprint is known. */
  readonly types: readonly KeyType[] | undefined;
  readonly revoked: boolean;
}

/**
 * The host keys of one host in a hosts file, in the formats of known_hosts: fingerprints, lines of `ssh-keygen -l`, and
 * public keys with or without host names (plain or hashed), including `@revoked`.
 */
export class HostKeys {
  readonly #host: string;
  readonly #accepted: readonly KnownKey[];
  readonly #revoked: readonly string[];

  /** @throws PetriError `host-key-refused` for a line that cannot be used */
  constructor(host: string, lines: readonly string[] = []) {
    this.#host = host;
    const known = lines.map((line) => readKnownKey(host, line));
    this.#accepted = known.filter(({ revoked }) => !revoked);
    this.#revoked = known.flatMap(({ revoked, print }) => (revoked ? [print] : []));
  }

  /**
   * The types to request, one login after the other until the server shows a known key: it shows the first key that the
   * client asks for, known or not. Types of known keys come first, and are the only ones if all types are known.
   */
  get types(): readonly KeyType[] {
    const named = this.#accepted.flatMap(({ types = [] }) => types);
    const others = this.#accepted.every(({ types }) => types !== undefined) ? [] : KEY_TYPES;
    const wanted = new Set([...named, ...others]);
    return wanted.size === 0 ? KEY_TYPES : [...wanted];
  }

  /** All other types. */
  get otherTypes(): readonly KeyType[] {
    const { types } = this;
    return KEY_TYPES.filter((type) => !types.includes(type));
  }

  /** Whether a key is accepted; `again` if another key of the same host may be. */
  judge(key: Buffer): 'accepted' | 'again' | 'refused' {
    const print = fingerprint(key);
    if (this.#revoked.includes(print)) return 'refused';
    if (this.#accepted.some((known) => known.print === print)) return 'accepted';
    return this.#accepted.length === 0 ? 'refused' : 'again';
  }

  /** Why none of the shown keys is accepted. */
  refusal(shown: readonly Buffer[]): PetriError {
    const host = this.#host;
    const named = shown.map((key) => `${keyType(key)} ${fingerprint(key)}`).join(' and ');
    const revoked = shown.find((key) => this.#revoked.includes(fingerprint(key)));
    if (revoked !== undefined) {
      return refusal(
        `the key of ${host} is revoked in the hosts file: it showed ${keyType(revoked)} ${fingerprint(revoked)}`,
        'whoever has that key may be somebody else: give the machine new keys, and name those as hostKey',
      );
    }
    if (this.#accepted.length === 0) {
      const [first] = shown;
      return refusal(
        `the key of ${host} is not known: it showed ${named}, and its hosts file names none`,
        `compare this with what the machine itself says (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then add hostKey: ${first === undefined ? 'it' : fingerprint(first)}`,
      );
    }
    const expected = this.#accepted.map(({ print }) => print).join(' or ');
    return refusal(
      shown.length === 0
        ? `${host} has no host key of a type that its hosts file names (${this.types.join(', ')}), expected ${expected}`
        : `the key of ${host} is not the one in the hosts file: it showed ${named}, expected ${expected}`,
      'if the machine was installed anew, compare the key there and change hostKey; else somebody may be between you and it',
    );
  }
}

/** Signature algorithms to request for keys of these types. */
export function algorithmsOf(types: readonly KeyType[]): HostKeyAlgorithm[] {
  return types.flatMap((type) => ALGORITHMS[type]);
}

/** The remaining types after a server has shown a key of one type. */
export function withoutType(types: readonly KeyType[], shown: string): readonly KeyType[] {
  return types.filter((type) => type !== shown);
}

function readKnownKey(host: string, line: string): KnownKey {
  const words = line.trim().split(/\s+/);
  const [marker] = words;
  if (marker === '@cert-authority') {
    throw unusable(host, line, 'a certificate authority; host certificates are not supported');
  }
  const revoked = marker === '@revoked';
  const printed = words.find((word) => /^SHA256:[A-Za-z0-9+/]{43}$/.test(word));
  if (printed !== undefined) {
    const type = /\((\w+)\)$/.exec(line.trim())?.[1] ?? '';
    return { print: printed, types: PRINTED_TYPES[type], revoked };
  }
  const at = words.findIndex((word) => /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-/.test(word));
  const type = words[at] ?? '';
  const blob = at === -1 ? undefined : words[at + 1];
  if (type.includes('-cert-v01@')) throw unusable(host, line, 'a certificate; host certificates are not supported');
  if (blob === undefined || !/^[A-Za-z0-9+/]+=*$/.test(blob)) throw unusable(host, line);
  const key = Buffer.from(blob, 'base64');
  if (keyType(key) !== type) throw unusable(host, line);
  if (!isKeyType(type)) throw unusable(host, line, `a key of type ${type}, which is not supported as a host key`);
  return { print: fingerprint(key), types: [type], revoked };
}

function isKeyType(type: string): type is KeyType {
  return Object.hasOwn(ALGORITHMS, type);
}

function unusable(host: string, line: string, what = 'neither a fingerprint nor a public key'): PetriError {
  return refusal(
    `the hostKey of ${host} is ${JSON.stringify(line)}, which is ${what}`,
    'write a fingerprint (SHA256:…) or a line that ssh-keyscan prints',
  );
}

function refusal(message: string, remedy: string): PetriError {
  return new PetriError(message, { code: 'host-key-refused', step: 'probe', remedy });
}
