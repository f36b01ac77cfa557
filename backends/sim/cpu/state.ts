import type { PmuState } from './pe/pmu.ts';
import type { WaitSnapshot } from './pe/wait-state.ts';

/** State of a vCPU with its active context: plain data, which `structuredClone` copies exactly. */
export interface VcpuSnapshot {
  /** X0 to X30, PC, PSTATE, stack pointers and system registers, as they are in linear memory. */
  readonly registers: Uint8Array;
  /** V0 to V31, FPCR and FPSR. */
  readonly simd: Uint8Array;
  readonly traps: { readonly wfi: boolean; readonly wfe: boolean; readonly simd: boolean };
  readonly retired: number;
  readonly retiredAt: readonly number[];
  readonly surcharge: number;
  readonly last: 'continue' | 'again';
  readonly wait: WaitSnapshot;
  /** Absent without an interrupt controller. */
  readonly pmu?: PmuState;
}

/** State of the processors of a machine, without its memory: plain data. */
export interface CpuState {
  /** Guest time in nanoseconds. */
  readonly now: number;
  /** Of the generator of RNDR. */
  readonly random: bigint;
  readonly vcpus: readonly VcpuSnapshot[];
  /** Which vCPU ran last; -1 for none. */
  readonly current: number;
}
