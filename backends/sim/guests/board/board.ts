import { BoundedLog } from '../../../../petri/text/index.ts';
import { BufferedSink, Bus, Gic, type Machine, machinePool, Pl011, VIRT_GIC } from '../../machine/index.ts';
import { FlatStage2 } from '../plain/flat-stage2.ts';
import type { Load, Ram } from './boot-state.ts';

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
}

const UARTS: Readonly<Record<Port, { readonly base: number; readonly spi: number }>> = {
  console: { base: 0x0900_0000, spi: 1 },
  agent: { base: 0x0904_0000, spi: 8 },
};
const RAM_BASE = 0x4000_0000;
const UART_BYTES = 0x1000;

/** The machine that QEMU calls `virt`: memory, bus and devices, without what runs on it. */
export class Board {
  readonly machine: Machine;
  readonly ram: Ram;
  readonly stage2: FlatStage2;
  readonly bus: Bus;
  readonly gic = new Gic(VIRT_GIC);
  readonly #uarts = new Map<Port, Pl011>();
  readonly #sinks: BufferedSink[] = [];

  constructor({ memory }: BoardSize, listener: BoardListener) {
    this.ram = { base: RAM_BASE, bytes: memory };
    this.machine = machinePool.acquire(memory);
    this.stage2 = new FlatStage2(this.machine.dram.offset, memory, RAM_BASE);
    const unknown = new BoundedLog('accesses without a device', listener.log);
    this.bus = new Bus({
      onUnknown: ({ address, bytes, write }) => {
        const what = write ? 'a write' : 'a read';
        unknown.add(`${what} of ${bytes} bytes at 0x${address.toString(16)}, where no device is`);
      },
    });
    this.gic.attach(this.bus);
    const { clock } = this.machine.cpu;
    for (const port of ports) {
      const sink = new BufferedSink((bytes) => listener.output(port, bytes));
      const { base, spi } = UARTS[port];
      const uart = new Pl011({ clock, interrupt: this.gic.spi(spi), output: sink });
      this.bus.attach({ base, bytes: UART_BYTES }, uart);
      this.#uarts.set(port, uart);
      this.#sinks.push(sink);
    }
  }

  /** Puts bytes into RAM, where they have been found to fit. */
  load({ address, bytes }: Load): void {
    const at = address - this.ram.base;
    const to = this.machine.dram.offset + at;
    this.machine.linear.u8.set(bytes, to);
    this.machine.cpu.wrote(to, bytes.length);
    this.stage2.touch(at, bytes.length);
  }

  receive(port: Port, bytes: Uint8Array): void {
    this.#uarts.get(port)?.receive(bytes);
  }

  /** Hands on what the guest has written. */
  flush(): void {
    for (const sink of this.#sinks) sink.flush();
  }

  /** Gives the machine back. */
  release(): void {
    machinePool.release(this.machine, this.stage2.touched());
  }
}
