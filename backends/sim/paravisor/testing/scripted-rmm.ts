import { LinearMemory } from '../../cpu/index.ts';
import { GRANULE_SIZE } from '../../machine/index.ts';
import {
  GPR_COUNT,
  type Plane0Port,
  type Plane0Program,
  PlaneEnter,
  PlaneExit,
  RealmConfigLayout,
  Rsi,
  rsiCommands,
} from '../../rmm/index.ts';

/** One entry into a scripted plane 1: the fields of the exit that it makes; 0 by default. */
export interface ScriptedExit {
  readonly reason?: bigint;
  readonly pc?: bigint;
  readonly esr?: number;
  readonly far?: number;
  /** Reported through HPFAR_EL2. */
  readonly ipa?: number;
  readonly x?: Readonly<Record<number, bigint>>;
}

/** The state with which plane 0 entered plane 1. */
interface Entry {
  readonly flags: number;
  readonly pc: bigint;
  readonly pstate: bigint;
  readonly x: readonly bigint[];
}

/**
 * For unit tests: an RMM that serves plane 0 from a script, to check the calls of the plane-run core and its answers to
 * exits that no CPU would make. Pages are mapped when they are first accessed.
 */
export class ScriptedRmm {
  readonly linear = new LinearMemory(16 * 65536);
  readonly ramBase = 0x8000_0000;
  readonly calls: { readonly command: string; readonly inputs: readonly bigint[] }[] = [];
  readonly entries: Entry[] = [];
  /** X0 of commands that are to fail, by function identifier. */
  readonly failures = new Map<number, bigint>();
  /** Result of RSI_IPA_STATE_GET for a page; EMPTY by default. */
  readonly ripas = new Map<number, bigint>();
  ipaWidth = 33n;
  numAuxPlanes = 1n;
  readonly #mapped = new Set<number>();
  readonly #script: ScriptedExit[];

  constructor(script: readonly ScriptedExit[]) {
    this.#script = [...script];
  }

  /** Runs plane 0 until it parks. */
  run(program: Plane0Program): void {
    const port: Plane0Port = {
      x: new BigUint64Array(18),
      linear: this.linear,
      locate: (ipa) => (this.#mapped.has(Math.floor(ipa / GRANULE_SIZE)) ? this.offsetOf(ipa) : -1),
      wrote: () => undefined,
    };
    const plane0 = program(port);
    for (;;) {
      const { value: step } = plane0.next();
      if (step.kind === 'park') return;
      if (step.kind === 'access') {
        if (this.#holds(step.ipa)) this.#mapped.add(Math.floor(step.ipa / GRANULE_SIZE));
      } else this.#serve(port.x);
    }
  }

  offsetOf(ipa: number): number {
    return ipa - this.ramBase;
  }

  #holds(ipa: number): boolean {
    return ipa >= this.ramBase && ipa < this.ramBase + this.linear.bytes;
  }

  #serve(x: BigUint64Array): void {
    const id = Number(x[0]);
    const command = rsiCommands.find(id)?.name ?? `0x${id.toString(16)}`;
    if (id !== Rsi.PLANE_ENTER) this.calls.push({ command, inputs: [...x.subarray(1, 5)] });
    const inputs = [...x];
    x.fill(0n);
    const failure = this.failures.get(id);
    if (failure !== undefined) {
      x[0] = failure;
      return;
    }
    const { view } = this.linear;
    const page = this.offsetOf(Number(inputs[1]));
    switch (id) {
      case Rsi.REALM_CONFIG:
        view.setBigUint64(page + RealmConfigLayout.ipaWidth, this.ipaWidth, true);
        view.setBigUint64(page + RealmConfigLayout.numAuxPlanes, this.numAuxPlanes, true);
        break;
      case Rsi.MEM_SET_PERM_INDEX:
        // One page at a time, as a host is free to do.
        x[1] = (inputs[1] ?? 0n) + BigInt(GRANULE_SIZE);
        break;
      case Rsi.IPA_STATE_GET:
        x[1] = (inputs[1] ?? 0n) + BigInt(GRANULE_SIZE);
        x[2] = this.ripas.get(Number(inputs[1])) ?? 0n;
        break;
      case Rsi.PLANE_ENTER:
        this.#enter(this.offsetOf(Number(inputs[2])), x);
        break;
    }
  }

  #enter(page: number, x: BigUint64Array): void {
    const { view } = this.linear;
    const u64 = (offset: number): bigint => view.getBigUint64(page + offset, true);
    this.entries.push({
      flags: Number(u64(PlaneEnter.flags)),
      pc: u64(PlaneEnter.pc),
      pstate: u64(PlaneEnter.pstate),
      x: Array.from({ length: GPR_COUNT }, (_, n) => u64(PlaneEnter.gprs + 8 * n)),
    });
    const exit = this.#script.shift();
    if (exit === undefined) {
      x[0] = 1n;
      return;
    }
    const set = (offset: number, value: bigint): void => view.setBigUint64(page + offset, value, true);
    this.linear.u8.fill(0, page + PlaneExit.reason, page + GRANULE_SIZE);
    set(PlaneExit.reason, exit.reason ?? 0n);
    set(PlaneExit.pc, exit.pc ?? 0n);
    set(PlaneExit.esr, BigInt(exit.esr ?? 0));
    set(PlaneExit.far, BigInt(exit.far ?? exit.ipa ?? 0));
    set(PlaneExit.hpfar, BigInt(Math.floor((exit.ipa ?? 0) / GRANULE_SIZE)) << 4n);
    for (const [n, value] of Object.entries(exit.x ?? {})) set(PlaneExit.gprs + 8 * Number(n), value);
  }
}
