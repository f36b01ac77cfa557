import type { ExceptionLevel } from '../exception-level.ts';
import type { LinearMemory } from '../linear-memory.ts';
import type { Stage2 } from '../types.ts';
import { Access, FaultStatus, type Regime, type Translation } from './regime.ts';
import { Stage1 } from './stage1.ts';
import type { Stage1Registers } from './stage1-walk.ts';
import { type IpaTranslation, Stage2Access } from './stage2-access.ts';

/**
 * A regime of two stages, for EL1&0, or for EL2 with a stage 2 that is the machine's. `translate` returns this object
 * itself.
 */
export class El1Regime implements Regime, Translation {
  place = -1;
  allowed = 0;
  status = 0;
  stage2 = false;
  ipa = 0;
  inWalk = false;
  guest = false;
  walkWrites = false;
  guarded = false;
  global = true;
  device = true;
  spanBits = 12;
  readonly #registers: Stage1Registers;
  readonly #stage1: Stage1;
  readonly #stage2: IpaTranslation;

  constructor(
    memory: LinearMemory,
    stage2: Stage2,
    registers: Stage1Registers,
    access: IpaTranslation = new Stage2Access(stage2),
  ) {
    this.#registers = registers;
    this.#stage2 = access;
    this.#stage1 = new Stage1(memory.u32, registers, this.#stage2);
  }

  translate(va: number, access: number, el: ExceptionLevel): Translation {
    const first = this.#stage1;
    first.translate(va, access, el, this.#registers.pan && (access & Access.Execute) === 0);
    this.ipa = first.ipa;
    this.allowed = first.allowed;
    this.guarded = first.guarded;
    this.global = first.global;
    this.device = first.device;
    this.spanBits = first.spanBits;
    if (first.status >= 0) {
      this.place = -1;
      this.status = first.status;
      this.stage2 = this.inWalk = first.stage2;
      this.guest = first.guest;
      this.walkWrites = first.walkWrites;
      return this;
    }
    const second = this.#stage2.translate(first.ipa, access & ~Access.Misaligned, el);
    this.place = second.place;
    this.status = second.status;
    this.stage2 = second.stage2;
    this.guest = second.guest === true;
    this.inWalk = false;
    this.allowed &= second.allowed;
    this.ipa = second.ipa;
    if (second.device && !this.device) this.#onDevice(access);
    return this;
  }

  /** Stage 2 alone has it as Device memory: a misaligned access faults there. */
  #onDevice(access: number): void {
    this.device = true;
    if (this.place < 0 || (access & Access.Misaligned) === 0) return;
    this.place = -1;
    this.stage2 = this.guest = true;
    this.status = FaultStatus.Alignment;
  }

  dropWalks(): void {
    this.#stage1.dropTables();
  }
}
