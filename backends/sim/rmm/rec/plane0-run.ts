import { type Cpu, Permission } from '../../cpu/index.ts';
import { GRANULE_SIZE } from '../../machine/index.ts';
import type { Plane0Port, Plane0Program, Plane0Step } from '../abi/plane0.ts';
import type { PlaneStage2 } from '../realm/plane-stage2.ts';

const PARKED: Plane0Step = { kind: 'park' };

/** One vCPU's run of a plane 0 written in TypeScript. */
export class Plane0Run {
  readonly #generator: Generator<Plane0Step, never, void>;
  /** What the program waits for; undefined when it can be resumed. */
  #step: Plane0Step | undefined;

  constructor(program: Plane0Program, x: BigUint64Array, stage2: PlaneStage2, cpu: Cpu) {
    const { linear } = stage2.realm.memory;
    const port: Plane0Port = {
      x,
      linear,
      locate: (ipa, write) => locate(stage2, ipa, write),
      wrote: (offset, bytes) => cpu.wrote(offset, bytes),
    };
    this.#generator = program(port);
  }

  /** What the program waits for: still the last step, or its next one, for which it is resumed. */
  step(): Plane0Step {
    return (this.#step ??= this.#next());
  }

  /** The step is done, and the program may go on. */
  completeStep(): void {
    this.#step = undefined;
  }

  #next(): Plane0Step {
    const result = this.#generator.next();
    return result.done === true ? PARKED : result.value;
  }
}

function locate(stage2: PlaneStage2, ipa: number, write: boolean): number {
  if (!(ipa >= 0)) return -1;
  const { offset, permissions } = stage2.translate(ipa);
  if (offset < 0 || (permissions & (write ? Permission.W : Permission.R)) === 0) return -1;
  return offset + (ipa % GRANULE_SIZE);
}
