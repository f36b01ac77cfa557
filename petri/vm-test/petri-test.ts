import { describe, test } from 'vitest';
import {
  type BackendPace,
  type TmkPayload,
  type TmkTest,
  isIsolationType,
  isolationTypes,
  type IsolationType,
  type VmPayload,
} from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { checkOptions, didYouMean } from '../options/index.ts';
import { harmlessLine } from '../text/index.ts';
import { blaming, CallSite } from './call-site.ts';
import {
  hasTestEnvironment,
  testEnvironment,
  featureTag,
  isolationTag,
  paceOf,
  stretched,
  type PetriTaskMeta,
} from '../run/index.ts';
import { meet } from './expectation.ts';
import { checkTest, testRules } from './check-test.ts';
import type { DeclarativeOptions, PetriTestOptions } from './options.ts';
import { runTest, type PetriTestBody, type PetriTestContext, type RegisteredTest } from './run-test.ts';
import { certainFeatures, describeRequirement } from './requirement.ts';
import { skipsOn } from './survey.ts';
import { rowTitle } from './title.ts';

/** One test for each row, with the row as the body's first argument. */
export interface PetriTestFor<Row> {
  <P extends VmPayload>(
    isolation: IsolationType,
    title: string | ((row: Row) => string),
    options: PetriTestOptions<P> | ((row: Row) => PetriTestOptions<P>),
    body: (row: Row, context: PetriTestContext<P>) => unknown,
  ): void;
  (isolation: IsolationType, title: string | ((row: Row) => string), options: (row: Row) => DeclarativeOptions): void;
}

/** Registers tests of VMs. */
export interface PetriTest {
  /** A test of one VM. */
  <P extends VmPayload>(
    isolation: IsolationType,
    name: string,
    options: PetriTestOptions<P>,
    body: PetriTestBody<P>,
  ): void;
  /** A test whose body makes its VMs with `launch`, or one that only says what must come of its VM. */
  (isolation: IsolationType, name: string, body: PetriTestBody | DeclarativeOptions): void;
  /** One test for each row. In a title, `$key` stands for a property of the row, and `%s` for the row. */
  for<Row>(rows: readonly Row[]): PetriTestFor<Row>;
  /**
   * One vitest test for each test inside a TMK, judged as OpenVMM's `tmk_vmm` judges it. A test that is only for a
   * Linux plane 0 runs where there is a realm, and is skipped elsewhere.
   */
  tmk(isolation: IsolationType, payload: TmkPayload, options?: Omit<PetriTestOptions, 'payload' | 'test'>): void;
  /** As vitest's `test.only`: of the tests of its file, only those registered by it run. */
  readonly only: PetriTest;
  /** As vitest's `test.skip`: the test is registered and does not run. */
  readonly skip: PetriTest;
}

type Mode = 'run' | 'only' | 'skip';

function make(mode: Mode): PetriTest {
  const register = (
    isolation: IsolationType,
    name: string,
    second: PetriTestBody | PetriTestOptions | DeclarativeOptions,
    third?: PetriTestBody,
  ): void => {
    const options: PetriTestOptions | DeclarativeOptions = typeof second === 'function' ? {} : second;
    const site = new CallSite(register);
    const body = bodyOf(name, options, typeof second === 'function' ? second : third, site);
    add(mode, isolation, name, options, { body, site });
  };
  const forRows = <Row>(rows: readonly Row[]): PetriTestFor<Row> => {
    checkRows(rows);
    const registerRows = (
      isolation: IsolationType,
      title: string | ((row: Row) => string),
      optionsFor: PetriTestOptions | ((row: Row) => PetriTestOptions),
      body?: (row: Row, context: PetriTestContext) => unknown,
    ): void => {
      const site = new CallSite(registerRows);
      for (const row of rows) {
        const name = typeof title === 'string' ? rowTitle(title, row) : title(row);
        const options = typeof optionsFor === 'function' ? optionsFor(row) : optionsFor;
        const own = body === undefined ? undefined : (context: PetriTestContext) => body(row, context);
        add(mode, isolation, name, options, { body: bodyOf(name, options, own, site), site });
      }
    };
    return registerRows;
  };
  const tmk = (isolation: IsolationType, payload: TmkPayload, options: PetriTestOptions = {}): void => {
    const site = new CallSite(tmk);
    checkTmk(payload, options);
    describe(payload.name, () => {
      for (const one of payload.image.tests) {
        // Names come from the ELF file.
        const name = harmlessLine(one.name);
        const requires = [options.requires ?? [], ...(one.expectedFailure ? ['tmk.events'] : [])];
        const registered = { body: tmkBody(one, site), site, linuxOnly: one.linuxOnly ? name : undefined };
        add(mode, isolation, name, { ...options, payload, test: one.name, requires }, registered);
      }
    });
  };
  return Object.defineProperties(Object.assign(register, { for: forRows, tmk }), {
    only: { get: () => make('only') },
    skip: { get: () => make('skip') },
  }) as PetriTest;
}

function add(
  mode: Mode,
  isolation: IsolationType,
  name: string,
  options: PetriTestOptions,
  registered: RegisteredTest,
): void {
  if (!isIsolationType(isolation)) throw unknownIsolation(isolation);
  checkTest(options);
  const declare = mode === 'run' ? test : test[mode];
  const { timeout, retry, requires = [] } = options;
  const tags = [isolationTag(isolation), ...certainFeatures(requires).map(featureTag)];
  declare(
    name,
    {
      meta: { petri: surveyed(isolation, options, registered) },
      ...(tagsAreDeclared() ? { tags } : {}),
      ...(timeout === undefined ? {} : { timeout: stretched(timeout, paceOf(pace(), isolation)) }),
      ...(retry === undefined ? {} : { retry }),
    },
    async (context) => {
      await runTest(context, isolation, options, registered);
    },
  );
}

function surveyed(isolation: IsolationType, options: PetriTestOptions, { linuxOnly }: RegisteredTest): PetriTaskMeta {
  const environment = hasTestEnvironment() ? testEnvironment() : undefined;
  if (environment?.survey === undefined) return {};
  return {
    requirement: describeRequirement(options.requires ?? []),
    skippedOn: skipsOn(environment.survey, environment.selectedIsolation(), { isolation, options, linuxOnly }),
  };
}

function pace(): BackendPace | undefined {
  return hasTestEnvironment() ? testEnvironment().pace?.() : undefined;
}

function tagsAreDeclared(): boolean {
  return hasTestEnvironment() && testEnvironment().tags !== false;
}

function bodyOf(
  name: string,
  options: PetriTestOptions | DeclarativeOptions,
  body: PetriTestBody | undefined,
  site: CallSite,
): PetriTestBody {
  if ('expect' in options && body === undefined) {
    return async ({ vm }) => await blaming(site, () => meet(vm, options.expect));
  }
  if (body !== undefined && !('expect' in options)) return body;
  throw new PetriError(
    `the test '${name}' has ${body === undefined ? 'neither a body nor' : 'both a body and'} \`expect\``,
    {
      code: 'invalid-option',
      step: 'options',
      remedy: 'give a body, or options with `expect` that say what must come of the VM',
    },
  );
}

function tmkBody(one: TmkTest, site: CallSite): PetriTestBody {
  return async (context) => {
    // Safe: the options that go with this body name a TMK.
    const { vm } = context as PetriTestContext<TmkPayload>;
    const { verdict, cause } = await vm.tmk.run(one.name);
    if (verdict === 'pass') return;
    await blaming(site, () => {
      const error = new Error(`${harmlessLine(one.name)}: ${cause}`);
      error.name = 'TmkTestFailed';
      throw error;
    });
  };
}

/** @throws PetriError `invalid-option` for rows that would make no test */
function checkRows(rows: unknown): void {
  if (Array.isArray(rows) && rows.length > 0) return;
  const what = Array.isArray(rows) ? 'no rows, so it makes no test' : 'something else than a list of rows';
  throw new PetriError(`petriTest.for is given ${what}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'give it a list with a row for each test',
  });
}

/** @throws PetriError `invalid-option` */
function checkTmk(payload: unknown, options: object): void {
  if (typeof payload !== 'object' || payload === null || !('kind' in payload) || payload.kind !== 'tmk') {
    throw new PetriError(
      `petriTest.tmk takes a TMK, such as tmk(${typeof payload === 'string' ? `'${payload}'` : "'hello'"})`,
      {
        code: 'invalid-option',
        step: 'options',
        remedy: "write petriTest.tmk('cca', tmk('hello'))",
      },
    );
  }
  const { payload: _payload, test: _test, ...rules } = testRules;
  checkOptions('petriTest.tmk', options, rules);
}

function unknownIsolation(isolation: unknown): PetriError {
  const hint = typeof isolation === 'string' ? didYouMean(isolation, isolationTypes) : '';
  return new PetriError(`there is no isolation type ${JSON.stringify(isolation)}${hint}`, {
    code: 'unknown-isolation',
    step: 'options',
    remedy: `the isolation types are ${isolationTypes.join(', ')}`,
  });
}

/**
 * Registers a test of a VM with vitest.
 *
 * ```ts
 * petriTest('cca', 'a realm boots', { payload: tmk('hello') }, async ({ vm }) => {
 *   await vm.serial.waitFor('hello world');
 * });
 * ```
 *
 * The VM is made before the body runs, booted when the body first needs it, and always ended. Where the backend cannot
 * make such a VM or lacks what the test `requires`, the test is skipped with the reason.
 */
export const petriTest: PetriTest = make('run');
