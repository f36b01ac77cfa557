import type { TmkEvent } from '../../petri/backend.ts';
import type { Registers } from '../../petri/vm/inspect.ts';
import { readRustString } from './rust-debug.ts';

/** What OpenVMM's tmk_vmm says of the end of a test (tmk/tmk_vmm/src/run.rs, `for_each_test`). */
export type TmkVmmVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'faulted'; readonly reason: string; readonly registers?: Registers };

/** `location: "file:line", panic: "message"`; without the location when the guest gave no file. */
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

/** `test passed, name: "…"`, `test failed, name: "…", reason: "explicit failure"` or with a vCPU, a reason and registers. */
export function readVerdict(fields: string): TmkVmmVerdict | undefined {
  if (fields.startsWith('test passed')) return { kind: 'passed' };
  if (!fields.startsWith('test failed')) return undefined;
  const at = fields.indexOf(', vp_index: ');
  if (at < 0) return { kind: 'failed' };
  const [, index = '', tail = ''] = /^, vp_index: (\d+), reason: (.*)$/s.exec(fields.slice(at)) ?? [];
  const reason = readRustString(tail);
  if (index === '' || reason === undefined) return { kind: 'faulted', reason: 'tmk_vmm gave no reason' };
  const registers = readRegisters(reason.rest);
  return { kind: 'faulted', reason: reason.value, ...(registers === undefined ? {} : { registers }) };
}

/** Rust's `{:#x?}` of `virt::aarch64::vp::Registers`: a field on each line. All that a test may look at must be there. */
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
