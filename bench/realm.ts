import { join } from 'node:path';

import { backend } from '../backends/sim/index.ts';
import { launchVm, resolveVmConfig, tmk, type TmkPayload, type Vm } from '../petri/index.ts';

/** Makes realms as a test does, through the framework's own handle. */
export class Realms {
  readonly #directory: string;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async launch(payload: TmkPayload, test?: string): Promise<Vm> {
    this.#made += 1;
    const spec = { isolation: 'cca' as const, payload, config: resolveVmConfig({}), machine: 'shared' as const };
    const features = ['inspect.exits', 'planes', 'reset'] as const;
    return await launchVm(backend, spec, { directory: join(this.#directory, String(this.#made)), features, test });
  }

  /** Milliseconds from launch to the first byte on the serial console. */
  async firstByte(payload: TmkPayload): Promise<number> {
    const start = performance.now();
    const vm = await this.launch(payload);
    const pushed = new Promise<number>((resolve) => {
      // The console has no event for one byte: its own door is watched for the first.
      const push = vm.serial.push.bind(vm.serial);
      vm.serial.push = (bytes) => {
        resolve(performance.now());
        vm.serial.push = push;
        push(bytes);
      };
    });
    await vm.start();
    const at = await pushed;
    await vm.dispose();
    return at - start;
  }
}

export const hello = (): TmkPayload => tmk('hello');
