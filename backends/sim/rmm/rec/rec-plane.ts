import type { CpuContext } from '../../cpu/index.ts';
import { SysregEncoding } from '../abi/plane-sysregs.ts';
import { GIC_WORDS } from './vgic.ts';

/** Where a context stores its timers: bytes from X0. */
interface TimerOffsets {
  readonly cntpCtl: number;
  readonly cntpCval: number;
  readonly cntvCtl: number;
  readonly cntvCval: number;
}

export function timerOffsets(context: CpuContext): TimerOffsets | undefined {
  const fromX0 = (encoding: number) => context.sysregOffset(encoding) - context.gprsOffset;
  const { CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0 } = SysregEncoding;
  if (context.sysregOffset(CNTV_CTL_EL0) < 0) return undefined;
  return {
    cntpCtl: fromX0(CNTP_CTL_EL0),
    cntpCval: fromX0(CNTP_CVAL_EL0),
    cntvCtl: fromX0(CNTV_CTL_EL0),
    cntvCval: fromX0(CNTV_CVAL_EL0),
  };
}

/** State of a plane of a REC other than its CPU context. */
export class RecPlane {
  readonly index: number;
  /** Created when the plane is first used. Plane 0 has none if it is a program. */
  context: CpuContext | undefined;
  /** Accessible registers that the CPU lacks, by encoding: they hold what is written. */
  readonly shadow = new Map<number, bigint>();
  /** Where the context stores its timers, for copying; undefined if it does not store them in memory. */
  timers: TimerOffsets | undefined;
  /** ICH_HCR_EL2, then the list registers, as 32-bit words. */
  readonly gic = new Uint32Array(GIC_WORDS);

  constructor(index: number) {
    this.index = index;
  }
}
