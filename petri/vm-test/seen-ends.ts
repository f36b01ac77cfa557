import { describeHalt, type HaltReason } from '../contract/index.ts';
import type { TmkResult } from '../tmk/index.ts';
import { PetriError } from '../errors.ts';

/** The boots of a VM, oldest first. */
type Boots = readonly { readonly halt: HaltReason | undefined }[];

/** What a test body has seen of how its VMs ended. */
export class SeenEnds {
  readonly #seen = new WeakSet<HaltReason>();
  /** Verdicts of `vm.tmk.run` that the body has not looked at. */
  readonly #failed = new Set<TmkResult>();

  /** The body knows of this end: it asked for it, expected it, or judged it. */
  saw(halt: HaltReason): void {
    this.#seen.add(halt);
  }

  /** What `vm.tmk.run` gives: a verdict that is a failure is for the body to look at. */
  judged(result: TmkResult): TmkResult {
    this.saw(result.halt);
    if (result.verdict === 'pass') return result;
    this.#failed.add(result);
    const look = <Value>(value: Value): PropertyDescriptor => ({
      enumerable: true,
      get: (): Value => {
        this.#failed.delete(result);
        return value;
      },
    });
    const { verdict, cause, halt, ...others } = result;
    return Object.defineProperties({ ...others } as TmkResult, {
      verdict: look(verdict),
      cause: look(cause),
      halt: look(halt),
    });
  }

  /** Why a test whose body has passed fails all the same, if it does. */
  unexpected(vms: readonly Boots[]): PetriError | undefined {
    for (const [index, boots] of vms.entries()) {
      const which = vms.length === 1 ? 'the VM' : `VM ${index + 1} of ${vms.length}`;
      for (const [boot, { halt }] of boots.entries()) {
        if (halt === undefined || this.#seen.has(halt) || isOrderly(halt)) continue;
        const when = boots.length === 1 ? '' : `, in boot ${boot + 1} of ${boots.length},`;
        return unexpectedEnd(`${which} halted${when} with ${describeHalt(halt)}`, halt);
      }
    }
    const [failed] = this.#failed;
    return failed === undefined ? undefined : unseenVerdict(failed);
  }
}

/** Whether a VM that ends so did nothing that anybody would want to know of. */
function isOrderly(halt: HaltReason): boolean {
  switch (halt.reason) {
    case 'complete':
      return halt.success;
    case 'power-off':
    case 'stopped':
      return true;
    case 'panic':
    case 'fault':
    case 'reset':
    case 'budget':
    case 'timeout':
    case 'backend-lost':
      return false;
  }
}

function unexpectedEnd(what: string, halt: HaltReason): PetriError {
  const expectation = halt.reason === 'complete' ? `{ reason: 'complete', success: false }` : `'${halt.reason}'`;
  return new PetriError(`${what}, and the test did not expect that`, {
    code: 'unexpected-halt',
    step: 'run',
    remedy:
      halt.reason === 'backend-lost'
        ? 'its log (petri.log in the folder of the VM) says what happened to the backend'
        : `if the guest is to end so, say it: await expect(vm).toHaltWith(${expectation})`,
  });
}

function unseenVerdict({ test, cause }: TmkResult): PetriError {
  return new PetriError(
    `vm.tmk.run(${JSON.stringify(test)}) had the verdict 'fail', and the test did not check it: ${cause}`,
    {
      code: 'unexpected-halt',
      step: 'run',
      remedy: "assert on the result: expect(await vm.tmk.run(name)).toMatchObject({ verdict: 'pass' })",
    },
  );
}
