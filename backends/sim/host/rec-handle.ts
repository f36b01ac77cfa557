/** A vCPU of a realm, as seen by the host. */
export class RecHandle {
  readonly index: number;
  readonly mpidr: number;
  /** Physical addresses of the REC, its auxiliary granules and its run page, which is in the Normal world. */
  readonly pa: number;
  readonly aux: readonly number[];
  readonly run: number;
  /** Offset of the run page in linear memory. */
  readonly runOffset: number;
  /** Whether it is on, so that it may be entered. */
  runnable: boolean;

  constructor(fields: Omit<RecHandle, never>) {
    this.index = fields.index;
    this.mpidr = fields.mpidr;
    this.pa = fields.pa;
    this.aux = fields.aux;
    this.run = fields.run;
    this.runOffset = fields.runOffset;
    this.runnable = fields.runnable;
  }
}
