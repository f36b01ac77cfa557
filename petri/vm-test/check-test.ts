import { PetriError } from '../errors.ts';
import {
  atLeast,
  checkOptions,
  isObject,
  listOf,
  milliseconds,
  oneOf,
  oneOfThese,
  pattern,
  text,
  type OptionRules,
  type Rule,
} from '../options/index.ts';
import { findTest } from '../tmk/index.ts';
import { knownFeatures } from '../contract/index.ts';
import { resolveVmConfig, vmOptionNames } from '../vm/index.ts';
import { checkHalt } from './check-halt.ts';
import { requirementRule } from './requirement.ts';
import { vmOptionsOf, type DeclarativeOptions, type PetriTestOptions, type VmLaunchOptions } from './options.ts';

const payload: Rule = {
  accepts: (value) =>
    typeof value === 'function' || (isObject(value) && ['tmk', 'linux', 'image'].includes(String(value['kind']))),
  expected: "tmk('…'), linux(), image({ … }) or a function that gives one of them",
  hint: (value) => (typeof value === 'string' ? `, did you mean tmk('${value}')?` : ''),
};

const launchRules: Readonly<Record<keyof VmLaunchOptions, Rule | true>> = {
  payload,
  test: text,
  machine: oneOf(['shared', 'fresh']),
  hostTags: listOf(text),
  // Whoever makes the configuration of the VM checks them.
  ...(Object.fromEntries(vmOptionNames.map((name) => [name, true])) as Record<(typeof vmOptionNames)[number], true>),
};

export const testRules: Readonly<Record<keyof PetriTestOptions, Rule | true>> = {
  ...launchRules,
  requires: requirementRule(oneOfThese(knownFeatures)),
  timeout: milliseconds,
  unstable: text,
  retry: atLeast(0),
};

const expectRules: OptionRules = { serial: listOf(pattern), not: listOf(pattern), halt: true };

/**
 * Checks all that a test says about itself, while tests are collected.
 *
 * @throws PetriError `invalid-option`, `invalid-config`, `tmk-test-unknown`, `tmk-test-ambiguous`
 */
export function checkTest(options: PetriTestOptions | DeclarativeOptions): void {
  refuseOldNames('petriTest', options);
  checkOptions('petriTest', options, { ...testRules, expect: true });
  checkVm('petriTest', options);
  if ('expect' in options) checkExpectations(options.expect);
}

/** Checks what a test asks of a further VM. @throws as `checkTest` does */
export function checkLaunch(options: VmLaunchOptions): void {
  const ofTest = Object.keys(isObject(options) ? options : {}).filter(
    (name) => !Object.hasOwn(launchRules, name) && Object.hasOwn({ ...testRules, expect: true }, name),
  );
  if (ofTest.length > 0) {
    throw invalid(
      `launch() does not take ${ofTest.map((name) => `'${name}'`).join(', ')}: it is about a test, not about a VM`,
      'give it to petriTest',
    );
  }
  refuseOldNames('launch()', options);
  checkOptions('launch()', options, launchRules);
  checkVm('launch()', options);
}

function refuseOldNames(what: string, options: unknown): void {
  if (!isObject(options) || !Object.hasOwn(options, 'boot')) return;
  throw invalid(`${what} has no option 'boot': it is called 'machine'`, "write machine: 'shared' or machine: 'fresh'");
}

function checkVm(what: string, options: VmLaunchOptions): void {
  resolveVmConfig(vmOptionsOf(options));
  if (options.test === undefined || typeof options.payload !== 'object') return;
  if (options.payload.kind !== 'tmk') {
    throw invalid(`${what} names the test '${options.test}' of a payload that boots Linux`, 'leave `test` out');
  }
  findTest(options.payload.image, options.payload.name, options.test);
}

function checkExpectations(expectations: unknown): void {
  checkOptions('expect', expectations, expectRules);
  if (!isObject(expectations)) throw nothingExpected();
  const { serial, not, halt } = expectations as DeclarativeOptions['expect'];
  if (halt !== undefined) checkHalt('halt of expect', halt);
  if (halt === undefined && (serial ?? []).length === 0 && (not ?? []).length === 0) throw nothingExpected();
  const both = serial?.find((one) =>
    not?.some((other) => String(other) === String(one) && typeof other === typeof one),
  );
  if (both === undefined) return;
  throw invalid(`expect lists ${String(both)} both in serial and in not`, 'take it out of `serial` or of `not`');
}

function nothingExpected(): PetriError {
  return invalid(
    'expect asserts nothing',
    'say what is printed (`serial`), what is `not`, or how the VM halts (`halt`)',
  );
}

function invalid(message: string, remedy: string): PetriError {
  return new PetriError(message, { code: 'invalid-option', step: 'options', remedy });
}
