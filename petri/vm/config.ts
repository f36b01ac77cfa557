import * as z from 'zod';
import { PetriError } from '../errors.ts';
import { didYouMean } from '../options/index.ts';
import { LOG_LIMIT } from '../serial/index.ts';
import { DEFAULT_MAX_INSTRUCTIONS, defaultIpaWidth, type VmConfig } from '../contract/index.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** RmiRealmParams.rpv (RMM specification, Realm Personalization Value). */
const RPV_SIZE = 64;

const DEFAULT_MEMORY = 512 * MIB;
const MIN_MEMORY = 4 * MIB;
const MAX_MEMORY = 1024 * GIB;

/** What a test may say about its VM. Everything has a default: the realm that kvmtool makes for OpenVMM's TMK flow. */
export interface VmOptions {
  /**
   * RAM: bytes, or a text such as `512M` or `2G` (powers of two). From 4M to 1T, a multiple of 2M.
   *
   * @default '512M'
   */
  readonly memory?: number | string | undefined;
  /** 1 to 512. @default 1 */
  readonly vcpus?: number | undefined;
  /** Auxiliary planes of a realm, 1 to 3; the payload runs in plane 1. @default 1 */
  readonly planes?: number | undefined;
  /** Bits of IPA, 32 to 48. @default one more than RAM at 2 GiB needs, and at least 33, as kvmtool chooses */
  readonly ipaWidth?: number | undefined;
  /** @default 'sha-256' */
  readonly measurementAlgorithm?: 'sha-256' | 'sha-512' | undefined;
  /** Realm Personalization Value: up to 64 bytes, or text of that length in UTF-8. @default zeros */
  readonly rpv?: Uint8Array | string | undefined;
  /**
   * Which answers a simulated RMM gives where TF-RMM differs from the RMM specification (docs/simulated-rmm.md has the
   * list). Backends with a real RMM ignore it.
   *
   * @default 'specification'
   */
  readonly rmm?: 'specification' | 'tf-rmm' | undefined;
  /**
   * Instructions after which the VM ends with `budget`, at the same one on every host. From the default on, what takes
   * the time of many instructions counts for as many: an exception or system instruction for 64, an exit for 1024.
   *
   * @default 1_000_000_000, and 200 times that for Linux and images on a simulated board
   */
  readonly maxInstructions?: number | undefined;
  /**
   * What each console may take on disk: bytes, or a text such as `512K`, `64M` or `2G`. From 64K to 16G. The VM goes on
   * when it is reached; what comes after stays in memory for a while, and what is in neither fails whoever has to look
   * at it.
   *
   * @default '64M'
   */
  readonly consoleLimit?: number | string | undefined;
  /**
   * How the time of a simulated board passes. Guests see it counted in instructions; while all of their PEs wait it
   * jumps to when something happens with `counted`, so that `sleep 60` takes no time and every run is the same. With
   * `wall` the wait takes as long as it says, as a person in front of a console expects.
   *
   * @default 'counted'
   */
  readonly time?: 'counted' | 'wall' | undefined;
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: MIB, G: GIB, T: 2 ** 40 };

const size = z
  .union([z.number(), z.string().regex(/^\d+ *(?:[KMGT](?:i?B)?)?$/i)])
  .transform((value) => (typeof value === 'number' ? value : parseSize(value)));

const consoleLimit = size.refine((bytes) => Number.isInteger(bytes) && bytes >= 64 * 2 ** 10 && bytes <= 16 * GIB);

const memory = size.refine((bytes) => bytes % (2 * MIB) === 0 && bytes >= MIN_MEMORY && bytes <= MAX_MEMORY);

const rpv = z
  .union([z.instanceof(Uint8Array), z.string()])
  .transform((value) => (typeof value === 'string' ? new TextEncoder().encode(value) : value))
  .refine((bytes) => bytes.length <= RPV_SIZE)
  .transform((bytes) => {
    const padded = new Uint8Array(RPV_SIZE);
    padded.set(bytes);
    return padded;
  });

const fields = {
  memory: memory.default(DEFAULT_MEMORY),
  vcpus: z.int().min(1).max(512).default(1),
  planes: z.int().min(1).max(3).default(1),
  ipaWidth: z.int().min(32).max(48).optional(),
  measurementAlgorithm: z.enum(['sha-256', 'sha-512']).default('sha-256'),
  rpv: rpv.default(new Uint8Array(RPV_SIZE)),
  rmm: z.enum(['specification', 'tf-rmm']).default('specification'),
  maxInstructions: z.int().min(1).max(Number.MAX_SAFE_INTEGER).default(DEFAULT_MAX_INSTRUCTIONS),
  consoleLimit: consoleLimit.default(LOG_LIMIT),
  time: z.enum(['counted', 'wall']).default('counted'),
};

type Field = keyof typeof fields;

/** What each field may be, as a message says it. */
const expectations: Readonly<Record<Field, string>> = {
  memory: 'a number of bytes or a text such as "512M" or "2G", from 4M to 1T, a multiple of 2M',
  vcpus: 'a whole number from 1 to 512',
  planes: 'a whole number from 1 to 3',
  ipaWidth: 'a whole number from 32 to 48',
  measurementAlgorithm: '"sha-256" or "sha-512"',
  rpv: `at most ${RPV_SIZE} bytes, or a text of that length in UTF-8`,
  rmm: '"specification" or "tf-rmm"',
  consoleLimit: 'a number of bytes or a text such as "64M" or "2G", from 64K to 16G',
  time: '"counted" or "wall"',
  maxInstructions: `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
};

/** Names of all options, for whoever has to distinguish them from others. */
export const vmOptionNames = Object.keys(fields) as readonly Field[];

const schema = z.strictObject(fields);

/**
 * Checks what a test says about its VM and fills in the rest.
 *
 * @throws PetriError `invalid-config` that names the field, its value and what is allowed
 */
export function resolveVmConfig(options: VmOptions = {}): VmConfig {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw invalid(options, parsed.error);
  const { ipaWidth, ...config } = parsed.data;
  return { ...config, ipaWidth: ipaWidth ?? defaultIpaWidth(config.memory) };
}

function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+) *([KMGT]?)/i.exec(text) ?? [];
  return Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN);
}

function invalid(options: VmOptions, error: z.ZodError): PetriError {
  const unknown = error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  const wrong = vmOptionNames.filter((field) => error.issues.some((issue) => issue.path[0] === field));
  const complaints = [
    ...wrong.map((field) => `${field} is ${show(options[field])}, expected ${expectations[field]}`),
    ...unknown.map((key) => `there is no VM option '${key}'${didYouMean(key, vmOptionNames)}`),
  ];
  return new PetriError(`VM configuration: ${complaints.join('; ')}`, {
    code: 'invalid-config',
    step: 'config',
    remedy:
      unknown.length > 0 ? `the VM options are ${vmOptionNames.join(', ')}` : 'correct the value, or leave it out',
  });
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
