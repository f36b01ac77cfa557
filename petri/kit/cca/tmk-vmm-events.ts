import type { TmkEvent, Registers } from '../../contract/index.ts';
import { readRustString } from './rust-debug.ts';

/** The outcome of the guest's test, as far as plane 0 can see it. */
export type TmkVmmOutcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'faulted'; readonly reason: string; readonly registers?: Registers };

/** What OpenVMM's tmk_vmm prints at the end of a test (tmk/tmk_vmm/src/run.rs, `for_each_test`). */
export interface TmkVmmVerdict {
  readonly outcome: TmkVmmOutcome;
  /** Whether tmk_vmm counts the test as a success, which its exit code reports too. */
  readonly success: boolean;
}

/** `location: "file:line", panic: "message"`; the location is absent if the guest gave no file. */
export function readPanic(fields: string): Extract<TmkEvent, { kind: 'panic' }> | undefined {
  let rest = fields;
  let file = '';
  let line = 0;
  if (rest.startsWith('location: ')) {
    const location = readRustString(rest.slice('location: '.length));
    if (location === undefined) return undefined;
    const colon = location.value.lastIndexOf(':');
    file = location.value.slice(0, colon);
    line = Number(location.value.slice(colon + 1));
    rest = location.rest.replace(/^, /, '');
  }
  if (!rest.startsWith('panic: ')) return undefined;
  const message = readRustString(rest.slice('panic: '.length));
  if (message?.rest !== '') return undefined;
  return { kind: 'panic', message: message.value, file, line: Number.isSafeInteger(line) ? line : 0 };
}

/** `failed to handle command, error: …[, error.sources: […]], p: N`. */
export function readRejection(fields: string): Extract<TmkEvent, { kind: 'rejected' }> | undefined {
  const [, error] = /^failed to handle command, error: (.*?)(?:, p: \d+)?$/s.exec(fields) ?? [];
  if (error === undefined) return undefined;
  const [, message = error, sources] = /^(.*), error\.sources: \[(.*)\]$/s.exec(error) ?? [];
  return { kind: 'rejected', message: sources === undefined ? message : `${message}: ${sources}` };
}

/** `fatal error, err: …[, err.sources: […]]`: why a vCPU cannot continue, which its halt reason does not include. */
export function readFatalError(fields: string): string | undefined {
  const [, error] = /^fatal error, err: (.*)$/s.exec(fields) ?? [];
  if (error === undefined) return undefined;
  const [, message = error, sources] = /^(.*), err\.sources: \[(.*)\]$/s.exec(error) ?? [];
  return sources === undefined ? message : `${message}: ${sources}`;
}

/**
 * `test passed`, `test failed` or `test unexpectedly passed`; then `name: "…"`, and for a guest that failed `reason:
 * "explicit failure"` or `vp_index`, `reason` and `regs`. There are two generations: the older one calls every failure
 * failed; the newer one has tests that are expected to fail, marked by `expected_failure: true`, for which passed means
 * that the guest failed.
 */
export function readVerdict(fields: string): TmkVmmVerdict | undefined {
  const [, word] = /^test (passed|failed|unexpectedly passed)(?:,|$)/.exec(fields) ?? [];
  if (word === undefined) return undefined;
  const rest = afterName(fields.slice(`test ${word}`.length));
  const isExpected = rest.startsWith(', expected_failure: true');
  const failed = word === 'failed' || (word === 'passed' && isExpected);
  return { outcome: failed ? readFailure(rest) : { kind: 'passed' }, success: word === 'passed' };
}

/** Skips the name, which is from the payload and may be any text. */
function afterName(fields: string): string {
  if (!fields.startsWith(', name: ')) return fields;
  return readRustString(fields.slice(', name: '.length))?.rest ?? '';
}

function readFailure(fields: string): TmkVmmOutcome {
  const at = fields.indexOf(', vp_index: ');
  if (at < 0) return { kind: 'failed' };
  const [, index = '', tail = ''] = /^, vp_index: (\d+), reason: (.*)$/s.exec(fields.slice(at)) ?? [];
  const reason = readRustString(tail);
  if (index === '' || reason === undefined) return { kind: 'faulted', reason: 'tmk_vmm gave no reason' };
  const registers = readRegisters(reason.rest);
  return { kind: 'faulted', reason: reason.value, ...(registers === undefined ? {} : { registers }) };
}

/**
 * Parses Rust's `{:#x?}` of `virt::aarch64::vp::Registers`, a field per line. All that tests can read must be there.
 */
function readRegisters(dump: string): Registers | undefined {
  const values = new Map<string, bigint>();
  for (const [, name = '', value = ''] of dump.matchAll(/^\s*(\w{1,8}): (0x[0-9a-f]{1,16}),?$/gm)) {
    values.set(name, BigInt(value));
  }
  const x = Array.from({ length: 31 }, (_, number) => {
    const alias = number === 29 ? 'fp' : number === 30 ? 'lr' : '';
    return values.get(`x${number}`) ?? values.get(alias);
  });
  const known = x.filter((value) => value !== undefined);
  const pc = values.get('pc');
  const pstate = values.get('cpsr') ?? values.get('pstate');
  if (known.length !== x.length || pc === undefined || pstate === undefined) return undefined;
  // SPSR_EL2.M[0] selects the stack pointer (Arm ARM, C5.2.19).
  const selected = (pstate & 1n) === 0n ? values.get('sp_el0') : values.get('sp_el1');
  return { x: known, sp: selected ?? values.get('sp') ?? 0n, pc, pstate };
}
