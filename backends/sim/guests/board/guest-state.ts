import type { FirmwareState, SchedulerState } from '../../machine/index.ts';
import type { BoardState, Port } from './board.ts';
import type { MemoryImage } from './memory-image.ts';

/** Input that has not arrived. */
export interface Input {
  readonly port: Port;
  readonly bytes: Uint8Array;
}

/** State of a `BoardGuest` without RAM: plain data, which is not changed. */
export interface MachineState {
  readonly board: BoardState;
  readonly firmware: FirmwareState;
  readonly scheduler: SchedulerState;
  readonly input: readonly Input[];
  readonly idle: boolean;
  /** Guest time of the next point at which input arrives; undefined while the machine is idle. */
  readonly inputAt: number | undefined;
  /** Instructions retired, and `Guest.work`. */
  readonly retired: number;
  readonly work: number;
}

/** State of a `BoardGuest`, at a point at which input arrives. It never changes. */
export interface GuestState {
  readonly memory: MemoryImage;
  readonly machine: MachineState;
}
