import { randomBytes } from 'node:crypto';

/**
 * The lines that our agents inside the machine (artifacts/cca/guest) and this backend exchange over a console.
 *
 * An answer is a line `##petri <nonce> <verb> [key=value …]##`. The nonce consists of 64 random bits, is chosen for
 * each command and unknown in plane 1, so no output of a payload can pass for an answer. A command never contains the
 * text of its answer, so its echo cannot either.
 */
export interface AgentFrame {
  readonly nonce: string;
  readonly verb: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Hexadecimal digits of a nonce. */
const NONCE_DIGITS = 16;

/** A frame is short; a longer line is not one, however it begins. */
const MAX_FRAME = 300;

const FRAME = /##petri ([0-9a-f]{16}) ([a-z0-9-]{1,32})((?: [a-z]{1,16}=[\w.-]{0,64}){0,6})##/;

/** Longest command line: a terminal's line discipline accepts 4095 bytes. */
const MAX_COMMAND = 4000;

/**
 * Characters of base64 in one line of `put`, and lines between two acknowledgements: together fewer than a terminal
 * buffers.
 */
export const PUT_LINE = 76;
export const PUT_WINDOW = 16;

export function newNonce(): string {
  return randomBytes(NONCE_DIGITS / 2).toString('hex');
}

/** The frame in a line, if it has one. A prompt or an unfinished line of another program may precede it. */
export function parseFrame(line: string): AgentFrame | undefined {
  const start = line.indexOf('##petri ');
  if (start < 0) return undefined;
  const [, nonce, verb, rest] = FRAME.exec(line.slice(start, start + MAX_FRAME)) ?? [];
  if (nonce === undefined || verb === undefined) return undefined;
  const pairs = (rest ?? '').split(' ').filter((word) => word !== '');
  return {
    nonce,
    verb,
    values: Object.fromEntries(
      pairs.map((pair) => {
        const equals = pair.indexOf('=');
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
    ),
  };
}

/** A pattern that finds an answer in a console's text. */
export function framePattern(nonce: string, verb: string): RegExp {
  return new RegExp(`##petri ${nonce} ${verb}(?: [^#\\n]{0,200})?##`);
}

/**
 * One word of a command line, to be expanded by `printf '%b'`: every byte with a special meaning to a shell or terminal
 * is escaped.
 */
export function escapeWord(text: string | Uint8Array): string {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w:.,/<>()@+=-]/.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

/** Whether a command with this word in it fits into a terminal's line. */
export function fitsCommand(word: string): boolean {
  return escapeWord(word).length <= MAX_COMMAND - 200;
}

export interface RealmRequest {
  /** RAM in MiB. */
  readonly memory: number;
  readonly algorithm: 'sha256' | 'sha512';
  /** Realm Personalization Value without the zeros at its end; empty for none. */
  readonly rpv: Uint8Array;
}

/** Command lines for the host agent, without the line end. */
export const hostCommands = {
  ping: (nonce: string): string => `ping ${nonce}`,
  realm: (nonce: string, { memory, algorithm, rpv }: RealmRequest): string =>
    `realm ${nonce} ${memory} ${algorithm} ${rpv.length === 0 ? '-' : escapeWord(rpv)}`,
  off: (nonce: string): string => `off ${nonce}`,
} as const;

/** Command lines for the agent in plane 0, without the line end. */
export const plane0Commands = {
  ping: (nonce: string): string => `ping ${nonce}`,
  run: (nonce: string, file: string, test: string): string => `run ${nonce} ${file} ${escapeWord(test)}`,
  again: (nonce: string): string => `again ${nonce}`,
  put: (nonce: string, name: string, size: number): string => `put ${nonce} ${name} ${size}`,
  exit: (nonce: string): string => `exit ${nonce}`,
} as const;

/** Lines for the shell in plane 0. The inner quotes keep an echo from matching the answer. */
export const shellCommands = {
  /** Answers `shell` once the shell listens and the agent's script is in place. */
  nudge: (nonce: string): string => `[ -s "$PETRI_ROOT/root/plane0-agent.sh" ] && echo '##pe''tri ${nonce} shell##'`,
  /** Replaces the shell by the agent, so that the realm ends when the agent does. */
  startAgent: (nonce: string): string => `exec sh "$PETRI_ROOT/root/plane0-agent.sh" ${nonce}`,
} as const;

/** Interrupts the foreground process of plane 0's terminal. */
export const INTERRUPT = Uint8Array.of(0x03);

/** kvmtool's keys to end the VM: its escape and `x` (kvmtool `term.c`). */
export const LKVM_QUIT = Uint8Array.of(0x01, 0x78);

/** Explains the plane 0 agent's `plane0-failed`, as a part of a sentence. */
export function plane0Failure({ lacks }: Readonly<Record<string, string>>): string {
  if (lacks !== undefined) return `plane 0 has no program '${lacks}', and neither has the busybox of the host`;
  return 'plane 0 cannot reach the folder with tmk_vmm';
}
