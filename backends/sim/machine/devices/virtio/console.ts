import { ByteQueue } from '../uart/byte-queue.ts';
import type { ByteSink } from '../uart/byte-sink.ts';
import { serveChains } from './serve-chains.ts';
import type { VirtioDevice, VirtioDriver } from './virtio-device.ts';

const Feature = { SIZE: 0, MULTIPORT: 1 } as const;
/** Control messages (Virtio 1.2, 5.3.6.2). */
const Event = {
  DEVICE_READY: 0,
  DEVICE_ADD: 1,
  PORT_READY: 3,
  CONSOLE_PORT: 4,
  RESIZE: 5,
  PORT_OPEN: 6,
  PORT_NAME: 7,
} as const;
const MESSAGE_BYTES = 8;
const QUEUE_SIZE = 256;
/** Queues of port 0, then those of control messages, then those of port 1 and so on; receive before transmit. */
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;
const CONFIGURATION_BYTES = 12;
/** Control messages that wait for the driver: it asks for a few of each port. */
const MAX_MESSAGES = 1024;

export interface ConsolePortOptions {
  /** Name in /sys/class/virtio-ports, and by udev in /dev/virtio-ports. */
  readonly name: string;
  /** Whether the guest gives it a console, /dev/hvcN, rather than /dev/vportNpM. @default false */
  readonly console?: boolean;
  readonly output: ByteSink;
}

export interface VirtioConsoleOptions {
  readonly ports: readonly ConsolePortOptions[];
  /** @default 80 columns, 24 rows */
  readonly size?: { readonly columns: number; readonly rows: number };
}

interface PortState {
  readonly waiting: Uint8Array;
  readonly open: boolean;
  readonly guestOpen: boolean;
}

interface VirtioConsoleState {
  readonly ports: readonly PortState[];
  readonly messages: readonly Uint8Array[];
  readonly started: boolean;
  readonly size: readonly [number, number];
}

/** A port of a virtio console, from the host's side. */
export class ConsolePort {
  readonly name: string;
  readonly console: boolean;
  readonly output: ByteSink;
  /** Whether a program of the guest has the port open. */
  guestOpen = false;
  /** Whether the host's side is open; else the guest's writes block. */
  open = true;
  readonly waiting = new ByteQueue();
  readonly #received: () => void;

  constructor({ name, console = false, output }: ConsolePortOptions, received: () => void) {
    this.name = name;
    this.console = console;
    this.output = output;
    this.#received = received;
  }

  /** Bytes given to `receive` for which the guest had no buffer yet. */
  get unread(): number {
    return this.waiting.length;
  }

  /** Bytes for the guest, any number: they wait for its buffers. */
  receive(bytes: Uint8Array): void {
    this.waiting.add(bytes);
    this.#received();
  }
}

/** A console device with several ports (Virtio 1.2, 5.3), which are served in order at the guest's notifications. */
export class VirtioConsole implements VirtioDevice<VirtioConsoleState> {
  readonly id = 3;
  readonly features = [Feature.SIZE, Feature.MULTIPORT];
  readonly queues: readonly number[];
  readonly latency = 0;
  readonly configuration = new Uint8Array(CONFIGURATION_BYTES);
  readonly ports: readonly ConsolePort[];
  #driver: VirtioDriver | undefined;
  /** Control messages for which the driver had no buffer yet. */
  #messages: Uint8Array[] = [];
  /** Whether the driver has said that it handles control messages. */
  #started = false;

  constructor({ ports, size = { columns: 80, rows: 24 } }: VirtioConsoleOptions) {
    this.ports = ports.map(
      (port, index) =>
        new ConsolePort(port, () => {
          this.#deliver(index);
        }),
    );
    this.queues = Array.from({ length: 2 * (ports.length + 1) }, () => QUEUE_SIZE);
    const view = new DataView(this.configuration.buffer);
    view.setUint16(0, size.columns, true);
    view.setUint16(2, size.rows, true);
    view.setUint32(4, ports.length, true);
  }

  connect(driver: VirtioDriver): void {
    this.#driver = driver;
  }

  /** Changes the size of the terminal of console ports. */
  resize(columns: number, rows: number): void {
    const view = new DataView(this.configuration.buffer);
    view.setUint16(0, columns, true);
    view.setUint16(2, rows, true);
    this.#driver?.configurationChanged();
    if (!this.#started) return;
    for (const [index, port] of this.ports.entries()) if (port.console) this.#sendSize(index);
  }

  serve(queue: number): void {
    if (queue === CONTROL_RECEIVE) this.#deliverMessages();
    else if (queue === CONTROL_TRANSMIT) this.#receiveMessages();
    else if (queue % 2 === 0) this.#deliver(portOf(queue));
    else this.#transmit(queue);
  }

  reset(): void {
    this.#messages = [];
    this.#started = false;
    for (const port of this.ports) port.guestOpen = false;
  }

  save(): VirtioConsoleState {
    const view = new DataView(this.configuration.buffer);
    return {
      ports: this.ports.map(({ waiting, open, guestOpen }) => ({ waiting: waiting.save(), open, guestOpen })),
      messages: this.#messages.map((message) => message.slice()),
      started: this.#started,
      size: [view.getUint16(0, true), view.getUint16(2, true)],
    };
  }

  restore({ ports, messages, started, size }: VirtioConsoleState): void {
    for (const [index, { waiting, open, guestOpen }] of ports.entries()) {
      const port = this.ports[index];
      port?.waiting.restore(waiting);
      if (port !== undefined) Object.assign(port, { open, guestOpen });
    }
    this.#messages = messages.map((message) => message.slice());
    this.#started = started;
    const view = new DataView(this.configuration.buffer);
    view.setUint16(0, size[0], true);
    view.setUint16(2, size[1], true);
  }

  #transmit(queue: number): void {
    const port = this.ports[portOf(queue)];
    if (this.#driver === undefined || port === undefined) return;
    serveChains(this.#driver, queue, (chain) => {
      chain.readChunks(0, chain.readableBytes, (chunk) => {
        port.output.bytes(chunk);
      });
      return 0;
    });
  }

  /** Fills the buffers that the driver has for a port with what waits. */
  #deliver(index: number): void {
    const port = this.ports[index];
    const driver = this.#driver;
    if (driver?.ready !== true || port === undefined) return;
    const queue = receiveQueueOf(index);
    while (port.waiting.length > 0) {
      const chain = driver.take(queue);
      if (chain === undefined) return;
      let written = 0;
      while (written < chain.writableBytes && port.waiting.length > 0) {
        const bytes = port.waiting.take(chain.writableBytes - written);
        chain.write(written, bytes);
        written += bytes.length;
      }
      driver.give(queue, chain, written);
    }
  }

  #receiveMessages(): void {
    if (this.#driver === undefined) return;
    serveChains(this.#driver, CONTROL_TRANSMIT, (chain) => {
      const message = chain.read(0, MESSAGE_BYTES);
      if (message.length === MESSAGE_BYTES) this.#control(new DataView(message.buffer));
      return 0;
    });
  }

  #control(message: DataView): void {
    const index = message.getUint32(0, true);
    const port = this.ports[index];
    const value = message.getUint16(6, true);
    switch (message.getUint16(4, true)) {
      case Event.DEVICE_READY:
        if (value !== 1) return;
        this.#started = true;
        for (const number of this.ports.keys()) this.#send(number, Event.DEVICE_ADD, 1);
        return;
      case Event.PORT_READY:
        if (port === undefined || value !== 1) return;
        if (port.console) this.#send(index, Event.CONSOLE_PORT, 1);
        this.#send(index, Event.PORT_NAME, 1, Buffer.from(port.name));
        if (port.console) this.#sendSize(index);
        if (port.open) this.#send(index, Event.PORT_OPEN, 1);
        return;
      case Event.PORT_OPEN:
        if (port !== undefined) port.guestOpen = value === 1;
        return;
    }
  }

  #sendSize(index: number): void {
    const view = new DataView(this.configuration.buffer);
    // Rows come first here, unlike in the configuration space: it is what Linux reads.
    const size = new DataView(new ArrayBuffer(4));
    size.setUint16(0, view.getUint16(2, true), true);
    size.setUint16(2, view.getUint16(0, true), true);
    this.#send(index, Event.RESIZE, 1, new Uint8Array(size.buffer));
  }

  #send(port: number, event: number, value: number, data = new Uint8Array()): void {
    // A driver that asks without end and never reads the answers gets no more of them.
    if (this.#messages.length >= MAX_MESSAGES) return;
    const message = new Uint8Array(MESSAGE_BYTES + data.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, port, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    message.set(data, MESSAGE_BYTES);
    this.#messages.push(message);
    this.#deliverMessages();
  }

  #deliverMessages(): void {
    const driver = this.#driver;
    if (driver?.ready !== true) return;
    for (let message = this.#messages[0]; message !== undefined; message = this.#messages[0]) {
      const chain = driver.take(CONTROL_RECEIVE);
      if (chain === undefined) return;
      chain.write(0, message);
      driver.give(CONTROL_RECEIVE, chain, Math.min(message.length, chain.writableBytes));
      this.#messages.shift();
    }
  }
}

/** The port of a queue that is not one of control messages. */
function portOf(queue: number): number {
  return queue < CONTROL_RECEIVE ? 0 : Math.floor(queue / 2) - 1;
}

function receiveQueueOf(port: number): number {
  return port === 0 ? 0 : 2 * (port + 1);
}
