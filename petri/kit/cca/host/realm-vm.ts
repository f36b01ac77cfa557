import type {
  BootRequest,
  LaunchContext,
  VmBoot,
  VmRuntime,
  VmSpec,
  TmkTest,
  TmkPayload,
} from '../../../contract/index.ts';
import { PetriError } from '../../../errors.ts';
import { VmLife } from '../../boot/index.ts';
import type { SerialConsole } from '../../../serial/index.ts';
import { fitsCommand } from '../index.ts';
import type { HostPlatform } from './host-platform.ts';
import { RealmRun } from './realm-run.ts';
import { sessionPool } from './session-pool.ts';

/** One VM: tests of one payload, each a run of tmk_vmm in a realm on this process's machine of the platform. */
export class RealmVm implements VmRuntime {
  readonly planes = [];
  readonly #platform: HostPlatform;
  readonly #spec: VmSpec<TmkPayload>;
  readonly #context: LaunchContext;
  readonly #serial: SerialConsole;
  readonly #consoles: ReadonlyMap<string, SerialConsole>;
  #run: RealmRun | undefined;
  readonly #life = new VmLife(async () => this.#run?.end());

  constructor(platform: HostPlatform, spec: VmSpec<TmkPayload>, context: LaunchContext) {
    this.#platform = platform;
    this.#spec = spec;
    this.#context = context;
    this.#serial = context.openConsole('serial');
    this.#consoles = new Map(platform.consoles.map((name) => [name, context.openConsole(name)]));
    context.onEnd((why) => this.#run?.halt(why));
  }

  get facts(): Readonly<Record<string, string>> {
    return { ...this.#platform.facts, ...this.#run?.facts };
  }

  /** @throws BootError, PetriError */
  start({ testIndex }: BootRequest): Promise<VmBoot> {
    return this.#life.start(() => this.#start(testIndex));
  }

  async #start(testIndex: number): Promise<VmBoot> {
    await this.#run?.end();
    this.#life.mustLive();
    const run = new RealmRun({
      pool: sessionPool(this.#platform),
      platform: this.#platform,
      spec: this.#spec,
      context: this.#context,
      test: this.#test(testIndex),
      serial: this.#serial,
      consoles: this.#consoles,
    });
    this.#run = run;
    await run.started;
    return run;
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#run?.stop(signal);
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }

  /** tmk_vmm selects tests by name only. */
  #test(index: number): TmkTest {
    const { image, name: payload } = this.#spec.payload;
    const test = image.tests[index];
    const first = image.tests.find((candidate) => candidate.name === test?.name);
    if (test !== undefined && first === test && test.name !== '' && fitsCommand(test.name)) return test;
    throw new PetriError(`test ${index} of the TMK '${payload}' cannot be run by its name on ${this.#platform.name}`, {
      code: 'unsupported',
      step: 'boot',
      remedy: 'give it a name that is not too long and that no other test of the TMK has',
    });
  }
}
