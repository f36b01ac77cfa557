import { PetriError } from './errors.ts';

/** The variable that asks for a debugger's stub in each VM; `--gdb` sets it. */
export const debuggerVariable = 'PETRI_GDB';

/** A request for a GDB remote stub. */
export interface DebuggerRequest {
  /** TCP port of 127.0.0.1; 0 for any. */
  readonly port: number;
  /** Whether the guest waits until the debugger continues it. */
  readonly wait: boolean;
}

/**
 * Parses the first of some variables that is set: a port, `0` for any free one, optionally followed by `,wait`.
 *
 * @throws PetriError `invalid-option`
 */
export function debuggerRequest(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  variables: readonly string[] = [debuggerVariable],
): DebuggerRequest | undefined {
  const variable = variables.find((name) => (environment[name] ?? '') !== '');
  if (variable === undefined) return undefined;
  const value = environment[variable] ?? '';
  const [, digits, wait] = /^(\d{1,5})(,wait)?$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65_535) return { port, wait: wait !== undefined };
  throw new PetriError(`${variable} is ${JSON.stringify(value)}, which is no port`, {
    code: 'invalid-option',
    step: 'options',
    remedy:
      "give a port of this machine such as '1234', '0' for any, or '1234,wait' for a guest that waits for the debugger",
  });
}

/** How to attach a debugger, for whoever waits for it. @param elf path of the program, if it is an ELF file */
export function attachHint(elf: string | undefined, port: number, wait: boolean): string {
  const held = wait ? "; the guest waits for the debugger's 'continue'" : '';
  return `debug with: gdb-multiarch ${elf === undefined ? '' : `${elf} `}-ex 'target remote 127.0.0.1:${port}'${held}`;
}

/**
 * `$PETRI_GDB` for a guest that waits for its debugger.
 *
 * @param port as it stands behind `--gdb=`; any free one if there is none
 * @throws PetriError `invalid-option`
 */
export function waitingDebugger(port = '0'): string {
  const value = `${port},wait`;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new PetriError(`--gdb is ${JSON.stringify(port)}, which is no port`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'give a port of this machine as in --gdb=1234, or --gdb alone for any that is free',
    });
  }
  return value;
}

/** The variables that ask for a trace of instructions and for coverage; `--trace` and `--guest-coverage` set them. */
export const traceVariable = 'PETRI_TRACE';
export const coverageVariable = 'PETRI_GUEST_COVERAGE';

/** What is to be written of each guest. */
export interface ObservationRequest {
  /** Every instruction that it executes. */
  readonly trace: boolean;
  /** Which lines of its sources were executed. */
  readonly coverage: boolean;
}

/**
 * What the variables ask for: each is `1` or `true`, or `0` or `false`; undefined if that is nothing.
 *
 * @throws PetriError `invalid-option`
 */
export function observationRequest(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ObservationRequest | undefined {
  const trace = flag(environment, traceVariable);
  const coverage = flag(environment, coverageVariable);
  return trace || coverage ? { trace, coverage } : undefined;
}

function flag(environment: Readonly<Record<string, string | undefined>>, variable: string): boolean {
  const value = environment[variable] ?? '';
  if (value === '1' || value === 'true') return true;
  if (value === '' || value === '0' || value === 'false') return false;
  throw new PetriError(`${variable} is ${JSON.stringify(value)}, expected 1 or 0`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `set ${variable}=1, or leave it out`,
  });
}
