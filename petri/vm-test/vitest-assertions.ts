import { chai, type TestContext } from 'vitest';
import type { AwaitLedger } from './await-ledger.ts';

const ledgers = new WeakMap<TestContext['task'], AwaitLedger>();

/** From now on, what vitest's `expect(…).resolves` and `.rejects` give in a test is entered in its ledger. */
export function watchAssertions(task: TestContext['task'], ledger: AwaitLedger): void {
  ledgers.set(task, ledger);
}

/**
 * vitest waits for such an assertion that nobody waited for, after the VMs of its test have been ended, and only warns.
 * So both properties give what vitest's own do, with every promise of theirs entered.
 */
chai.use(({ Assertion }, { flag, overwriteProperty }) => {
  for (const name of ['resolves', 'rejects']) {
    overwriteProperty(
      Assertion.prototype,
      name,
      (inherited: (this: object) => object) =>
        function (this: object): object {
          const assertion = inherited.call(this);
          const task = flag(this, 'vitest-test') as TestContext['task'] | undefined;
          const ledger = task === undefined ? undefined : ledgers.get(task);
          return ledger === undefined ? assertion : watched(assertion, name, ledger);
        },
    );
  }
});

function watched(assertion: object, name: string, ledger: AwaitLedger): object {
  const proxy: object = new Proxy(assertion, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (value === assertion) return proxy;
      if (typeof value !== 'function') return value;
      const matcher = (...parameters: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, parameters);
        if (!isThenable(result)) return result;
        return ledger.watch(`expect(…).${name}.${String(key)}(…)`, matcher, result);
      };
      return matcher;
    },
  });
  return proxy;
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
