import type { BootRequest, LaunchContext, VmBoot, VmRuntime } from '../../petri/backend.ts';
import { PetriError } from '../../petri/errors.ts';
import type { TmkTest } from '../../petri/payload/index.ts';
import type { SerialConsole } from '../../petri/serial/index.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { fitsCommand } from '../../petri/cca/agent-protocol.ts';
import { FvpRun } from './fvp-run.ts';
import { sessionPool } from './session-pool.ts';
import { uartConsoles, type UartConsole } from './stages.ts';
import type { InstalledStack } from './stack/installed.ts';

/** One VM: tests of one payload, each a run of tmk_vmm in a realm on the model of this process. */
export class FvpVm implements VmRuntime {
  readonly planes = [];
  readonly #stack: InstalledStack;
  readonly #spec: VmSpec;
  readonly #context: LaunchContext;
  readonly #serial: SerialConsole;
  readonly #uarts: ReadonlyMap<UartConsole, SerialConsole>;
  #run: FvpRun | undefined;
  #killed = false;

  constructor(stack: InstalledStack, spec: VmSpec, context: LaunchContext) {
    this.#stack = stack;
    this.#spec = spec;
    this.#context = context;
    this.#serial = context.openConsole('serial');
    this.#uarts = new Map(uartConsoles.map((name) => [name, context.openConsole(name)]));
  }

  get facts(): Readonly<Record<string, string>> {
    const { lockDigest, shrinkwrap, revisions } = this.#stack;
    return {
      'stack.lock': lockDigest,
      'stack.shrinkwrap': `${shrinkwrap.version}, runtime ${shrinkwrap.runtime}`,
      ...Object.fromEntries(Object.entries(revisions).map(([name, revision]) => [`stack.${name}`, revision])),
      ...this.#run?.facts,
    };
  }

  /** @throws BootError, PetriError */
  async start({ testIndex }: BootRequest): Promise<VmBoot> {
    if (this.#killed) {
      throw new PetriError('the VM was ended and cannot be started again', {
        code: 'vm-closed',
        step: 'boot',
        remedy: 'start it before the end of its test, or launch another',
      });
    }
    await this.#run?.end();
    const run = new FvpRun({
      pool: sessionPool(),
      stack: this.#stack,
      spec: this.#spec,
      context: this.#context,
      test: this.#test(testIndex),
      serial: this.#serial,
      uarts: this.#uarts,
    });
    this.#run = run;
    await run.started;
    return run;
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#run?.stop(signal);
  }

  async kill(): Promise<void> {
    this.#killed = true;
    await this.#run?.end();
  }

  /** tmk_vmm takes tests by name, and by no other means. */
  #test(index: number): TmkTest {
    const { image, name: payload } = this.#spec.payload;
    const test = image.tests[index];
    const first = image.tests.find((candidate) => candidate.name === test?.name);
    if (test !== undefined && first === test && test.name !== '' && fitsCommand(test.name)) return test;
    throw new PetriError(`test ${index} of the TMK '${payload}' cannot be run by its name on fvp`, {
      code: 'unsupported',
      step: 'boot',
      remedy: 'give it a name that is not too long and that no other test of the TMK has',
    });
  }
}
