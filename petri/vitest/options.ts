import { coverageVariable, debuggerVariable, traceVariable, waitingDebugger } from '../debugging.ts';
import { PetriError } from '../errors.ts';
import { type IsolationType, isIsolationType, isolationTypes } from '../contract/index.ts';

/** The user's choice of backend and isolation types, not yet validated. */
export interface PetriOptions {
  readonly backend: string | undefined;
  readonly isolation: readonly string[];
  readonly strictSkips: boolean | undefined;
}

/** Switches of a run that reach workers as variables of the environment. */
export type RunVariables = Readonly<Record<string, string>>;

/** A parsed command line. */
export interface SplitArguments extends PetriOptions {
  /** What `--gdb`, `--trace` and `--guest-coverage` say, as variables. */
  readonly variables: RunVariables;
  /** The other arguments, for vitest. */
  readonly rest: readonly string[];
}

/** The choices with defaults: see {@link resolveOptions}. */
export interface ResolvedOptions {
  readonly backend: string;
  /** Empty for all of them. */
  readonly isolation: readonly IsolationType[];
  readonly strictSkips: boolean;
}

export const backendVariable = 'PETRI_BACKEND';
export const isolationVariable = 'PETRI_ISOLATION';
export const strictSkipsVariable = 'PETRI_STRICT_SKIPS';
export const defaultBackend = 'sim';

/**
 * Removes `--backend`, `--isolation`, `--strict-skips`, `--gdb`, `--trace` and `--guest-coverage` from a command line,
 * at any position:
 * `--backend=sim`, `--backend sim`, `--isolation=cca,none --isolation=vbs`, `--no-strict-skips`, `--gdb=1234`. Those
 * after a `--` only count if there is none before it.
 *
 * @throws PetriError `invalid-option` for an option without a value, for two different backends, and for a port that is
 *   none
 */
export function splitArguments(argv: readonly string[]): SplitArguments {
  const end = argv.indexOf('--');
  const front = takeOptions(end === -1 ? argv : argv.slice(0, end));
  const behind = takeOptions(end === -1 ? [] : argv.slice(end + 1));
  return {
    backend: front.backend ?? behind.backend,
    isolation: front.isolation.length > 0 ? front.isolation : behind.isolation,
    strictSkips: front.strictSkips ?? behind.strictSkips,
    variables: { ...behind.variables, ...front.variables },
    rest: behind.rest.length > 0 ? [...front.rest, '--', ...behind.rest] : front.rest,
  };
}

function takeOptions(argv: readonly string[]): SplitArguments {
  const rest: string[] = [];
  const isolation: string[] = [];
  let backend: string | undefined;
  let strictSkips: boolean | undefined;
  const variables: Record<string, string> = {};
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    const strict = /^--(no-)?strict-?skips(?:=(.*))?$/is.exec(argument);
    if (strict !== null) {
      const value = checkBoolean('--strict-skips', strict[2] ?? 'true');
      strictSkips = strict[1] === undefined ? value : !value;
      continue;
    }
    const debug = /^--gdb(?:=(.*))?$/s.exec(argument);
    if (debug !== null) {
      variables[debuggerVariable] = waitingDebugger(debug[1]);
      continue;
    }
    const observed = /^--(trace|guest-coverage)$/.exec(argument)?.[1];
    if (observed !== undefined) {
      variables[observed === 'trace' ? traceVariable : coverageVariable] = '1';
      continue;
    }
    const match = /^--(backend|isolation)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      rest.push(argument);
      continue;
    }
    const name = match[1] ?? '';
    const value = match[2] ?? argv[++index];
    if (value === undefined || value === '' || value.startsWith('-')) throw valueMissing(name);
    if (name === 'isolation') {
      isolation.push(...splitList(value));
      continue;
    }
    if (backend !== undefined && backend !== value) {
      throw new PetriError(`--backend is given twice, as '${backend}' and as '${value}'`, {
        code: 'invalid-option',
        step: 'options',
        remedy: 'a run has one backend; run once for each',
      });
    }
    backend = value;
  }
  return { backend, isolation, strictSkips, variables, rest };
}

/** @throws PetriError `invalid-option` */
function checkBoolean(name: string, value: string): boolean {
  if (/^(1|true|yes)$/i.test(value)) return true;
  if (/^(0|false|no)$/i.test(value)) return false;
  throw new PetriError(`${name} is '${value}', expected true or false`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `write ${name}=true or ${name}=false`,
  });
}

function valueMissing(name: string): PetriError {
  const example = name === 'backend' ? '--backend=sim' : '--isolation=cca';
  return new PetriError(`--${name} needs a value`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `write it as in ${example}`,
  });
}

/**
 * The user's choices, by precedence: options of our own commands (passed as environment variables), options after
 * vitest's `--`, environment variables, configuration, and `sim`.
 *
 * @param argv the process's arguments: only those after a `--` are read, the others belong to vitest
 * @throws PetriError `unknown-isolation`, `invalid-option`
 */
export function resolveOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  configuration: {
    readonly backend?: string | undefined;
    readonly isolation?: readonly IsolationType[] | undefined;
    readonly strictSkips?: boolean | undefined;
  },
): ResolvedOptions {
  const given = givenOptions(argv, environment);
  return {
    backend: given.backend ?? configuration.backend ?? defaultBackend,
    isolation: checkIsolation(given.isolation.length > 0 ? given.isolation : (configuration.isolation ?? [])),
    strictSkips: given.strictSkips ?? configuration.strictSkips ?? false,
  };
}

/**
 * The choices in the command line and the environment, which apply to every project of the configuration.
 *
 * @throws PetriError `invalid-option`
 */
export function givenOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PetriOptions {
  const end = argv.indexOf('--');
  const passed = takeOptions(end === -1 ? [] : argv.slice(end + 1));
  const strict = nonEmpty(environment[strictSkipsVariable]);
  return {
    backend: passed.backend ?? nonEmpty(environment[backendVariable]),
    isolation: passed.isolation.length > 0 ? passed.isolation : splitList(environment[isolationVariable] ?? ''),
    strictSkips: passed.strictSkips ?? (strict === undefined ? undefined : checkBoolean(strictSkipsVariable, strict)),
  };
}

/** @throws PetriError `unknown-isolation`, listing those that exist */
export function checkIsolation(names: readonly string[]): IsolationType[] {
  for (const name of names) {
    if (isIsolationType(name)) continue;
    throw new PetriError(`there is no isolation type '${name}'`, {
      code: 'unknown-isolation',
      step: 'options',
      remedy: `choose from ${isolationTypes.join(', ')}`,
    });
  }
  return isolationTypes.filter((type) => names.includes(type));
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}
