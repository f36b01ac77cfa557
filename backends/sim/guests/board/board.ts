import { BoundedLog } from '../../../../petri/text/index.ts';
import type { CpuState, Vcpu } from '../../cpu/index.ts';
import {
  BufferedSink,
  Bus,
  Gic,
  type GuestMemory,
  type Machine,
  type MachineMap,
  machinePool,
  placesOf,
  type VirtioDevice,
  type Window,
} from '../../machine/index.ts';
import { attachDevices, type AttachedDevices } from './attach-devices.ts';
import { type BoardMemory, BoardStage2, FLASH_PERMISSIONS, RAM_PERMISSIONS } from './board-stage2.ts';
import type { Load } from './boot-state.ts';
import type { MemoryImage } from './memory-image.ts';
import { RamPages } from './ram-pages.ts';

/** UARTs of a board: what its user sees, and one for an agent in the guest. */
export const ports = ['console', 'agent'] as const;
export type Port = (typeof ports)[number];

/** What a board reports to its owner. */
export interface BoardListener {
  /** @param bytes the receiver's to keep */
  output(port: Port, bytes: Uint8Array): void;
  log(message: string): void;
}

export interface BoardSize {
  /** Bytes of RAM. */
  readonly memory: number;
  readonly vcpus: number;
  /** Whether PEs have EL2, and start there. @default false */
  readonly el2?: boolean;
  /** What is in the slots of virtio-mmio, in the order of the map. @default nothing */
  readonly virtio?: readonly (VirtioDevice | undefined)[];
  /** Whether there is flash, which needs as much memory again. @default false */
  readonly flash?: boolean;
}

/** State of a board without its RAM: plain data, which is not changed. */
export interface BoardState {
  readonly cpu: CpuState;
  readonly gic: ReturnType<Gic['save']>;
  /** In the order of the map. */
  readonly devices: readonly unknown[];
}

/** Aff2, Aff1 and Aff0 of MPIDR_EL1. */
const AFFINITY = 0xff_ffff;

/** A machine of a map: memory, bus and devices, without what runs on it. */
export class Board {
  readonly map: MachineMap;
  readonly size: BoardSize;
  readonly machine: Machine;
  /** Range of RAM. */
  readonly ram: Window;
  /** Banks of flash, if there are any. */
  readonly flash: readonly BoardMemory[];
  readonly stage2: BoardStage2;
  readonly bus: Bus;
  readonly gic: Gic;
  readonly vcpus: readonly Vcpu[];
  /** How a device has ended the run. */
  ended: 'reset' | 'power-off' | undefined;
  /** Whether a PE is on; its owner says. */
  isOn: (vcpu: Vcpu) => boolean = () => false;
  readonly #devices: AttachedDevices;
  readonly #sinks: readonly BufferedSink[];
  #listener: BoardListener;
  #unknown: BoundedLog;
  #pages: RamPages | undefined;

  /** @throws RangeError for a map whose RAM is in several places */
  constructor(map: MachineMap, size: BoardSize, listener: BoardListener) {
    const { memory, vcpus, virtio = [], el2 = false, flash = false } = size;
    this.map = map;
    this.size = size;
    this.#listener = listener;
    this.#unknown = unknownAccesses(listener);
    this.ram = ramOf(map, memory);
    const banks = flash ? flashOf(map) : [];
    this.machine = machinePool.acquire(memory + banks.reduce((sum, { bytes }) => sum + bytes, 0));
    const { cpu, dram } = this.machine;
    let end = dram.offset;
    const take = (window: Window, permissions: number): BoardMemory => {
      end += window.bytes;
      return { ...window, offset: end - window.bytes, permissions };
    };
    const ram = take(this.ram, RAM_PERMISSIONS);
    this.flash = banks.map((bank) => take(bank, FLASH_PERMISSIONS));
    this.stage2 = new BoardStage2([ram, ...this.flash]);
    for (const bank of this.flash) this.#erase(bank);
    const { distributor, redistributors, its } = map.gic;
    const affinities = Array.from({ length: vcpus }, (_, index) => map.mpidr(index) & AFFINITY);
    this.gic = new Gic({ distributor: distributor.base, redistributor: redistributors.base }, affinities, {
      base: its.base,
      memory: this.#memory,
      clock: cpu.clock,
    });
    this.gic.wake();
    this.vcpus = affinities.map((_, index) => this.#makeVcpu(map.mpidr(index), index, el2));
    this.bus = new Bus({
      onUnknown: ({ address, bytes, write }) => {
        const what = write ? 'a write' : 'a read';
        this.#unknown.add(`${what} of ${bytes} bytes at 0x${address.toString(16)}, where no device is`);
      },
    });
    this.gic.attach(this.bus);
    const sinks = ports.map((port) => new BufferedSink((bytes) => this.#listener.output(port, bytes)));
    this.#sinks = sinks;
    this.#devices = attachDevices(map, {
      clock: cpu.clock,
      bus: this.bus,
      gic: this.gic,
      memory: this.#memory,
      vcpus,
      flash: this.flash.map((bank) => ({ bank, onMode: (readable) => this.#flashMode(bank, readable) })),
      outputs: sinks,
      virtio,
      isOn: (affinity) => {
        const vcpu = this.vcpus[affinities.indexOf(affinity)];
        return vcpu && this.isOn(vcpu);
      },
      reset: () => (this.ended = 'reset'),
      shutdown: () => (this.ended = 'power-off'),
    });
  }

  /** Memory as devices see it. */
  get #memory(): GuestMemory {
    const { stage2 } = this;
    const { linear, cpu } = this.machine;
    return {
      bytesAt: (address, length) => {
        const place = stage2.place(address, length);
        if (place < 0) return undefined;
        stage2.touch(place, length);
        return linear.u8.subarray(place, place + length);
      },
      wrote: (address, length) => {
        cpu.wrote(stage2.place(address, length), length);
      },
    };
  }

  /** Flash that nothing was programmed into reads as ones. */
  #erase({ bytes, offset }: BoardMemory): void {
    this.stage2.touch(offset, bytes);
    this.machine.linear.u8.fill(0xff, offset, offset + bytes);
  }

  /** What a bank of flash does when it begins or ends to read as its contents. */
  #flashMode(bank: BoardMemory, readable: boolean): void {
    bank.permissions = readable ? FLASH_PERMISSIONS : 0;
    this.machine.cpu.invalidate(this.stage2, bank.base, bank.bytes);
  }

  /** Makes a PE in its reset state, off. */
  #makeVcpu(mpidr: number, index: number, el2: boolean): Vcpu {
    const vcpu = this.machine.cpu.createVcpu(mpidr);
    vcpu.activate(vcpu.createContext(this.stage2, { el2 }));
    vcpu.connect(this.gic.pe(index));
    return vcpu;
  }

  /** Puts bytes into memory, where they have been found to fit. */
  load({ address, memsize, data }: Load): void {
    const place = this.stage2.place(address, memsize);
    if (place < 0) throw new RangeError(`there is no memory at 0x${address.toString(16)}`);
    this.stage2.touch(place, memsize);
    this.machine.linear.u8.set(data, place);
    this.machine.cpu.wrote(place, memsize);
  }

  /** Has everything that the machine reports go to another owner. */
  adopt(listener: BoardListener): void {
    this.#listener = listener;
    this.#unknown = unknownAccesses(listener);
  }

  save(): BoardState {
    const { cpu } = this.machine;
    return structuredClone({
      cpu: cpu.save(),
      gic: this.gic.save(),
      devices: this.#devices.stateful.map((device) => device.save()),
    });
  }

  /** What the RAM holds. To be followed by `restore`, which has later writes be noticed. */
  saveMemory(): MemoryImage {
    return this.#tracked().save();
  }

  /**
   * Restores a board of the same map and size.
   *
   * @param others restores what drives the vCPUs, between them and the devices
   */
  restore(memory: MemoryImage, { cpu, gic, devices }: BoardState, others: () => void): void {
    const { machine } = this;
    const pages = this.#tracked();
    pages.restore(memory);
    this.ended = undefined;
    // Everybody who has an alarm sets it again.
    machine.cpu.clock.reset();
    machine.cpu.restore(cpu);
    for (const { wait } of cpu.vcpus) {
      // A wait for a store looks at memory without a TLB.
      if (wait.granule >= 0) this.stage2.touch(wait.granule, 1);
    }
    this.gic.restore(gic);
    others();
    devices.forEach((state, index) => this.#devices.stateful[index]?.restore(state));
  }

  /** The image that the RAM is like but for what was used since, if it was ever saved or restored. */
  get image(): MemoryImage | undefined {
    return this.#pages?.image;
  }

  #tracked(): RamPages {
    if (this.#pages !== undefined) return this.#pages;
    const { linear, cpu } = this.machine;
    const place = {
      ...this.stage2.span,
      u8: linear.u8,
      wrote: (offset: number, bytes: number) => cpu.wrote(offset, bytes),
    };
    this.#pages = new RamPages(place, this.stage2.touched());
    this.stage2.pages = this.#pages;
    return this.#pages;
  }

  receive(port: Port, bytes: Uint8Array): void {
    this.#devices.uarts[ports.indexOf(port)]?.receive(bytes);
  }

  /** Hands on what the guest has written. */
  flush(): void {
    for (const sink of this.#sinks) sink.flush();
  }
}

function unknownAccesses({ log }: BoardListener): BoundedLog {
  return new BoundedLog('accesses without a device', log);
}

/** Where the RAM of a board is. */
export function ramOf(map: MachineMap, memory: number): Window {
  const [ram, another] = map.ram(memory);
  if (ram === undefined || another !== undefined) throw new RangeError(`${map.name} has its RAM in several places`);
  return ram;
}

/** Where a map has flash. */
export function flashOf(map: MachineMap): readonly Window[] {
  return placesOf(map, 'cfi-flash').flatMap(({ windows }) => windows);
}
