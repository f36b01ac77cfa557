import { DRAM_OFFSET, ExceptionClass, RunExit, type Vcpu } from '../../cpu/index.ts';
import { CPACR_EL1, hvc, TestMachine, VBAR_EL1 } from '../../cpu/testing/test-machine.ts';
import { Gic, VIRT_GIC } from '../devices/gic/gic.ts';
import { Firmware } from '../firmware/firmware.ts';
import type { SystemEvent } from '../firmware/psci.ts';
import { VcpuScheduler } from '../vcpu-scheduler.ts';

const PAGE = 4096;
/** ICC registers that let every interrupt through. */
const ICC_PMR_EL1 = 0xc230;
const ICC_IGRPEN1_EL1 = 0xc667;
const ICC_IGRPEN0_EL1 = 0xc666;

/**
 * Several vCPUs with one memory and a GIC that forwards everything: see `TestMachine` for the addresses. X19 of each
 * vCPU is its number. A vCPU is off after HVC; a vector of an exception executes one. SMC calls the firmware.
 */
export class SmpMachine extends TestMachine {
  readonly gic: Gic;
  readonly vcpus: readonly Vcpu[];
  readonly scheduler: VcpuScheduler;
  readonly firmware: Firmware;
  /** What a guest asked for by PSCI. */
  event: SystemEvent | undefined;
  /** What happened, in order: `vcpu: immediate of HVC at its instruction count`. */
  readonly log: string[] = [];

  constructor(count: number, options: { readonly quantum?: number } = {}) {
    super();
    this.gic = new Gic(
      VIRT_GIC,
      Array.from({ length: count }, (_, n) => n),
    );
    this.vcpus = Array.from({ length: count }, (_, n) => (n === 0 ? this.vcpu : this.cpu.createVcpu(n)));
    this.scheduler = new VcpuScheduler(this.cpu.clock, this.vcpus, options);
    this.firmware = new Firmware({
      vcpus: this.vcpus,
      scheduler: this.scheduler,
      isEntry: (address) => address < TestMachine.VECTORS,
      boot: (vcpu, entry, context) => {
        vcpu.reset(this.stage2);
        this.prepare(vcpu, vcpu.mpidr);
        vcpu.active.pc = entry;
        vcpu.active.setX(0, context);
      },
    });
    this.vcpus.forEach((vcpu, n) => {
      vcpu.connect(this.gic.pe(n));
      if (n > 0) vcpu.activate(vcpu.createContext(this.stage2));
      this.prepare(vcpu, n);
    });
    this.writeGic(VIRT_GIC.distributor, 3);
    for (const index of this.vcpus.keys()) {
      const base = VIRT_GIC.redistributor + index * 0x2_0000;
      this.writeGic(base + 0x14, 0);
      this.writeGic(base + 0x1_0080, ~0);
      this.writeGic(base + 0x1_0100, ~0);
    }
  }

  /** What software at reset does. */
  prepare(vcpu: Vcpu, index: number): void {
    const { active } = vcpu;
    active.setSysreg(VBAR_EL1, BigInt(TestMachine.VECTORS));
    active.setSysreg(CPACR_EL1, 3n << 20n);
    active.setSysreg(ICC_PMR_EL1, 0xf8n);
    active.setSysreg(ICC_IGRPEN0_EL1, 1n);
    active.setSysreg(ICC_IGRPEN1_EL1, 1n);
    active.setX(19, BigInt(index));
    // The CPU interface looks at its registers.
    vcpu.activate(active);
  }

  writeGic(address: number, value: number): void {
    this.gic.write(address, 4, value >>> 0, 0);
  }

  /** The handler of a vector, instead of the HVC. */
  vector(offset: number, words: readonly number[]): void {
    this.write(TestMachine.VECTORS + offset, words);
  }

  /** Places code for a vCPU and starts it. @param at the offset in the page of code */
  program(index: number, words: readonly number[], at = index * 0x200): void {
    this.write(TestMachine.CODE + at, [...words, hvc(index)]);
    const vcpu = this.vcpus[index];
    if (vcpu === undefined) throw new RangeError('no such vCPU');
    vcpu.active.pc = BigInt(TestMachine.CODE + at);
    this.scheduler.start(vcpu);
  }

  /** Runs until the machine is idle, in slices of `budget`. @returns the log, with how it ended */
  run(budget = 1_000_000, most = 50_000_000): readonly string[] {
    while (this.scheduler.effort < most) {
      const exit = this.scheduler.run(budget);
      const { current } = this.scheduler;
      if (exit === RunExit.Wait) break;
      if (exit === RunExit.Budget) continue;
      if (current.exit.ec === ExceptionClass.Smc64) {
        current.active.advancePc(4);
        this.event = this.firmware.call(current);
        if (this.event !== undefined) break;
        continue;
      }
      const immediate = (current.exit.esr & 0xffff).toString(16);
      this.log.push(`${String(current.mpidr)}: ${immediate} at ${String(current.retired)}`);
      this.scheduler.stop(current);
    }
    this.log.push(`end at ${String(this.cpu.clock.now)}`);
    return this.log;
  }

  /** A doubleword of the page of data. */
  data(offset: number): bigint {
    return this.memory.view.getBigUint64(DRAM_OFFSET + 5 * PAGE + offset, true);
  }
}
