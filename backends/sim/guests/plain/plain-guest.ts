import {
  accessBytes,
  accessSummary,
  guestFault,
  hasValidSyndrome,
  vectorNote,
} from '../../../../petri/kit/arm/index.ts';
import { type TmkEvent, type HaltReason, type Registers, checkVcpu } from '../../../../petri/contract/index.ts';
import {
  encodeStartInput,
  imagePages,
  type LoadablePayload,
  placeTmk,
  PLAIN_RAM_BASE,
  type ReadGuestMemory,
  type TmkListener,
  TmkMonitor,
  type TmkPlacement,
} from '../../../../petri/tmk/index.ts';
import { type CpuContext, ExceptionClass, RunExit, type Vcpu } from '../../cpu/index.ts';
import {
  Bus,
  Firmware,
  Gic,
  type Machine,
  serveDevice,
  VcpuScheduler,
  VIRT_GIC,
  machinePool,
} from '../../machine/index.ts';
import { Access, serveAccess, storedAddress } from '../../paravisor/index.ts';
import { exceptionState } from '../exception-state.ts';
import type { Guest, GuestDebug } from '../guest.ts';
import type { TmkFactory } from '../kind.ts';
import { readRegisters } from '../read-registers.ts';
import { logUndefined } from '../undefined-log.ts';
import { FlatStage2 } from './flat-stage2.ts';

const EXITS_PER_QUESTION = 32;
const HVC_IMMEDIATE = 0xffff;

/**
 * A TMK in an ordinary VM, much as tmk_vmm runs it without isolation: no RMM and no planes. The monitor treats the
 * command page and everything else outside of RAM but the GIC as MMIO without a device, and serves PSCI by HVC. The GIC
 * is where QEMU's `virt` has it, unless RAM is there. Unlike in tmk_vmm, RAM does not
 * start at 0, so null pointers and a guest without vectors cause a fault.
 */
export class PlainGuest implements Guest {
  readonly planes = [];
  readonly #monitor: TmkMonitor;
  readonly #placement: TmkPlacement;
  readonly #machine: Machine;
  readonly #ramBytes: number;
  readonly #stage2: FlatStage2;
  readonly #gic = new Gic(VIRT_GIC);
  readonly #bus = new Bus();
  readonly #vcpu: Vcpu;
  readonly #scheduler: VcpuScheduler;
  readonly #firmware: Firmware;
  readonly #context: CpuContext;
  /** Whether the last exit was a command, which may take long. */
  #commanded = false;
  /** Values to report after the machine was given back. */
  #final: { readonly registers: Registers; readonly retired: number; readonly work: number } | undefined;

  /** @throws PetriError `payload-too-large` */
  constructor(payload: LoadablePayload, ramBytes: number, listener: TmkListener) {
    this.#placement = placeTmk(payload, PLAIN_RAM_BASE, ramBytes);
    this.#monitor = new TmkMonitor(payload.image, PLAIN_RAM_BASE, listener);
    this.#ramBytes = ramBytes;
    this.#machine = machinePool.acquire(ramBytes);
    const { cpu, dram } = this.#machine;
    logUndefined(cpu, this.#monitor.locator, listener.log);
    this.#stage2 = new FlatStage2(dram.offset, ramBytes, PLAIN_RAM_BASE);
    this.#vcpu = cpu.createVcpu(0);
    this.#vcpu.connect(this.#gic.pe(0));
    this.#gic.attach(this.#bus);
    this.#context = this.#vcpu.createContext(this.#stage2);
    this.#vcpu.activate(this.#context);
    this.#context.pc = BigInt(this.#placement.entry);
    this.#context.setX(0, BigInt(this.#placement.startInput));
    this.#scheduler = new VcpuScheduler(cpu.clock, [this.#vcpu]);
    this.#scheduler.start(this.#vcpu);
    this.#firmware = new Firmware({
      vcpus: [this.#vcpu],
      scheduler: this.#scheduler,
      isEntry: (address) => address >= PLAIN_RAM_BASE && address < PLAIN_RAM_BASE + ramBytes,
      boot: (vcpu, entry, context) => {
        vcpu.reset(this.#stage2);
        this.#context.pc = entry;
        this.#context.setX(0, context);
      },
    });
    for (const { address, bytes } of imagePages(payload, this.#placement.base)) this.#write(address, bytes);
  }

  boot(testIndex: number): void {
    this.#write(this.#placement.startInput, encodeStartInput(testIndex));
  }

  get retired(): number {
    return this.#final?.retired ?? this.#scheduler.retired;
  }

  get work(): number {
    return this.#final?.work ?? this.#scheduler.work;
  }

  get events(): readonly TmkEvent[] {
    return this.#monitor.events;
  }

  get debug(): GuestDebug {
    const { cpu } = this.#machine;
    return { cpu, loadOffset: this.#placement.base, vcpus: [{ vcpu: this.#vcpu, context: this.#context }] };
  }

  registers(vcpu = 0): Registers {
    checkVcpu(vcpu, 1);
    return this.#final?.registers ?? readRegisters(this.#context);
  }

  expired(reason: 'budget' | 'timeout', why: string): HaltReason {
    const state = this.#final === undefined ? exceptionState(this.#context) : undefined;
    return this.#monitor.expired(reason, why, this.registers(), vectorNote(state, this.#monitor.locator));
  }

  run(budget: number, outstayed: () => boolean): HaltReason | undefined {
    const until = this.#scheduler.effort + budget;
    for (let exits = 1; ; exits++) {
      const left = until - this.#scheduler.effort;
      if (left <= 0) return undefined;
      const exit = this.#scheduler.run(left);
      if (exit === RunExit.Budget) return undefined;
      const halt = this.#haltOf(exit);
      if (halt !== undefined) return halt;
      if ((exits % EXITS_PER_QUESTION === 0 || this.#commanded) && outstayed()) return undefined;
      this.#commanded = false;
    }
  }

  release(): void {
    if (this.#final !== undefined) return;
    this.#final = { registers: this.registers(), retired: this.retired, work: this.work };
    machinePool.release(this.#machine, this.#stage2.touched());
  }

  #haltOf(exit: RunExit): HaltReason | undefined {
    if (exit === RunExit.Sync) return this.#serve();
    // No interrupt will come: the wait ends, as the architecture allows, so that what the guest did can be counted.
    if (this.#scheduler.allOff) return { reason: 'power-off' };
    this.#scheduler.wake(this.#vcpu);
    return undefined;
  }

  #serve(): HaltReason | undefined {
    const { exit } = this.#vcpu;
    switch (exit.ec) {
      case ExceptionClass.DataAbortLower:
        return this.#serveDataAbort();
      case ExceptionClass.Hvc64:
        return this.#serveHvc();
      case ExceptionClass.InstructionAbortLower:
        return this.#unserved();
      default:
        return this.#unserved();
    }
  }

  #serveDataAbort(): HaltReason | undefined {
    const { esr, ipa } = this.#vcpu.exit;
    const memory = this.#machine.linear.u32;
    const gprs = this.#context.gprsOffset >>> 2;
    if (hasValidSyndrome(esr) && this.#bus.contains(ipa)) {
      serveDevice(this.#bus, memory, gprs, esr, ipa);
      this.#context.advancePc(4);
      return undefined;
    }
    const access = serveAccess(this.#monitor, memory, gprs, esr, ipa, this.#summary);
    if (access === Access.Refused) return this.#unserved();
    this.#context.advancePc(4);
    if (access === Access.Done) return undefined;
    this.#commanded = true;
    return this.#monitor.command(accessBytes(esr), storedAddress(memory, gprs, esr), this.#read);
  }

  /** Serves calls by HVC #0 (SMCCC); the PC is already after the HVC. */
  #serveHvc(): HaltReason | undefined {
    const functionId = this.#machine.linear.u32[this.#context.gprsOffset >>> 2] ?? 0;
    if ((this.#vcpu.exit.esr & HVC_IMMEDIATE) !== 0 || !this.#firmware.has(functionId)) return this.#unserved();
    const event = this.#firmware.call(this.#vcpu);
    return event === undefined ? undefined : { reason: event.kind };
  }

  readonly #summary = (): string => {
    const { esr, ipa } = this.#vcpu.exit;
    return accessSummary(esr, BigInt(ipa));
  };

  /** The exit is one that the guest cannot continue from. */
  #unserved(): HaltReason {
    const { esr, ipa } = this.#vcpu.exit;
    const exception = exceptionState(this.#context);
    return guestFault({ registers: this.registers(), exception, esr, ipa: BigInt(ipa) }, this.#monitor);
  }

  readonly #read: ReadGuestMemory = (gpa, length) => {
    const at = gpa - PLAIN_RAM_BASE;
    if (at < 0 || at + length > this.#ramBytes) return undefined;
    const from = this.#machine.dram.offset + at;
    return this.#machine.linear.u8.subarray(from, from + length);
  };

  #write(address: number, bytes: Uint8Array): void {
    const at = address - PLAIN_RAM_BASE;
    const to = this.#machine.dram.offset + at;
    this.#machine.linear.u8.set(bytes, to);
    this.#machine.cpu.wrote(to, bytes.length);
    this.#stage2.touch(at, bytes.length);
  }
}

export const plainGuests: TmkFactory = {
  make: (payload, { memory }, listener) => new PlainGuest(payload, memory, listener),
};
