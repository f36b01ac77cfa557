import { type Cpu, Permission } from '../../cpu/index.ts';
import { GRANULE_SIZE } from '../../machine/index.ts';
import type { Plane0Port, Plane0Program, Plane0Step } from '../abi/plane0.ts';
import type { PlaneStage2 } from '../realm/plane-stage2.ts';

const PARKED: Plane0Step = { kind: 'park' };

/** A plane 0 written in TypeScript, running on one vCPU. */
export class Plane0Run {
  readonly #generator: Generator<Plane0Step, never, void>;
  /** The step that is in progress; undefined when the program can be resumed. */
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

  /** The step in progress; if there is none, resumes the program for its next one. */
  step(): Plane0Step {
    return (this.#step ??= this.#next());
  }

  /** Completes the step: the program may be resumed. */
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
