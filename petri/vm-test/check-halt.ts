import { PetriError } from '../errors.ts';
import {
  atLeast,
  bigInteger,
  checkOptions,
  didYouMean,
  flag,
  isObject,
  textOrPattern,
  type OptionRules,
  type Rule,
} from '../options/index.ts';
import type { HaltKind } from '../contract/index.ts';

const registers = part({ x: true, sp: bigInteger, pc: bigInteger, pstate: bigInteger });
const symbol = part({ name: textOrPattern, offset: atLeast(0) });
const exit = part({
  index: atLeast(0),
  reason: true,
  pc: bigInteger,
  pstate: bigInteger,
  esr: bigInteger,
  far: bigInteger,
  hpfar: bigInteger,
  ec: atLeast(0),
  iss: true,
  ipa: bigInteger,
  summary: textOrPattern,
});

/** What belongs to each kind of halt: what else is asked for can never be there. */
const detailsOf: Readonly<Record<HaltKind, OptionRules>> = {
  complete: { success: flag },
  panic: { message: textOrPattern, location: textOrPattern },
  fault: { message: textOrPattern, exit, registers, symbol },
  'power-off': {},
  reset: {},
  stopped: {},
  budget: { message: textOrPattern, registers, symbol },
  timeout: { message: textOrPattern, registers, symbol },
  'backend-lost': { message: textOrPattern },
};
const kinds = Object.keys(detailsOf) as readonly HaltKind[];

/**
 * Checks how somebody says that a VM is to halt.
 *
 * @param what as the user calls it, such as `toHaltWith()`
 * @throws PetriError `invalid-option` for what no VM can halt with
 */
export function checkHalt(what: string, expected: unknown): void {
  const kind = isObject(expected) ? expected['reason'] : expected;
  if (typeof kind !== 'string' || !isKind(kind)) throw unknownKind(what, expected, kind);
  if (!isObject(expected)) return;
  checkOptions(`${what} with '${kind}'`, expected, { reason: true, ...detailsOf[kind] });
  for (const [name, value] of Object.entries(expected)) {
    const rule = detailsOf[kind][name];
    if (rule !== undefined && isPart(rule)) checkOptions(`${name} of ${what}`, value, rule.rules);
  }
}

function isKind(kind: string): kind is HaltKind {
  return Object.hasOwn(detailsOf, kind);
}

function unknownKind(what: string, expected: unknown, kind: unknown): PetriError {
  const names = kinds.map((name) => `'${name}'`).join(', ');
  const complaint =
    typeof kind === 'string'
      ? `no VM halts with '${kind}'${didYouMean(kind, kinds)}`
      : isObject(expected)
        ? 'the object has no `reason`'
        : 'it takes a halt reason, or an object with a `reason`';
  return new PetriError(`${what}: ${complaint}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `the halt reasons are ${names}`,
  });
}

interface PartRule extends Rule {
  readonly rules: OptionRules;
}

function part(rules: OptionRules): PartRule {
  return { rules, accepts: isObject, expected: `an object with any of ${Object.keys(rules).join(', ')}` };
}

function isPart(rule: Rule | true): rule is PartRule {
  return rule !== true && 'rules' in rule;
}
