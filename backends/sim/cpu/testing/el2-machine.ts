import type { El2Slot } from '../pe/el2/el2-state.ts';
import { sysreg } from '../pe/system-registers.ts';
import { RunExit } from '../types.ts';
import { smc, TestMachine } from './test-machine.ts';

/** SPSR_ELx: the mode, with all interrupts masked. */
export const Mode = { El0t: 0x3c0, El1h: 0x3c5, El2h: 0x3c9 } as const;

/** Names of registers of EL2 with a place of their own. */
type El2Name = keyof typeof El2Slot;

/**
 * A vCPU with EL2. Vectors of EL2 are at 0x30000, those of EL1 at 0x50000: each ends the run with an SMC whose number
 * is the offset, and 0x1000 more for EL1.
 */
export class El2Machine extends TestMachine {
  static readonly VECTORS_EL1 = 0x5_0000;

  constructor() {
    super({}, { el2: true });
    this.stage2.map(El2Machine.VECTORS_EL1, 8);
    for (let vector = 0; vector < 0x800; vector += 0x80) {
      this.write(TestMachine.VECTORS + vector, [smc(vector)]);
      this.write(El2Machine.VECTORS_EL1 + vector, [smc(0x1000 + vector)]);
    }
    this.context.setSysreg(sysreg.VBAR_EL2, BigInt(TestMachine.VECTORS));
    this.context.setSysreg(sysreg.VBAR_EL1, BigInt(El2Machine.VECTORS_EL1));
  }

  /** A register of EL2 by its name. */
  el2(name: Exclude<El2Name, 'ICH_LR0'>): bigint {
    return this.context.sysreg(el2Encoding(name)) ?? -1n;
  }

  /** Sets HCR_EL2. @param bits of `Hcr` @param high bits of `HcrHigh`; APK and API are set always */
  hcr(bits: number, high = 0): void {
    this.context.setSysreg(sysreg.HCR_EL2, BigInt((bits | (1 << 31)) >>> 0) | (BigInt(high | 0x300) << 32n));
  }

  /** Runs the code from the start at an Exception level. @returns the number of the SMC that ends it */
  runAt(mode: number, code: readonly number[]): number {
    this.context.pstate = mode;
    this.context.pc = BigInt(TestMachine.CODE);
    this.load(code);
    return this.runOn();
  }

  /** Runs on to an SMC. @returns its number */
  runOn(): number {
    for (let runs = 0; runs < 100; runs += 1) {
      const exit = this.vcpu.run(10_000);
      if (exit === RunExit.Sync && this.vcpu.exit.target === 3) return this.vcpu.exit.esr & 0xffff;
      if (exit !== RunExit.Budget) throw new RangeError(`the run ended with ${String(exit)} instead of an SMC`);
    }
    throw new RangeError('the run did not end');
  }
}

function el2Encoding(name: Exclude<El2Name, 'ICH_LR0'>): number {
  const names: Readonly<Record<string, number>> = sysreg;
  return names[name === 'SP' ? 'SP_EL2' : `${name}_EL2`] ?? 0;
}
