import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { packet, PacketReader, type Received } from './packets.ts';
import type { GdbEvents, GdbResume, GdbTarget, WatchKind } from './target.ts';

/** A target of two registers and 64 KiB of memory that does what it is told, and remembers it. */
export class FakeTarget implements GdbTarget {
  readonly architecture = 'aarch64';
  readonly features = [
    { name: 'one', registers: [{ name: 'x0', bits: 64 as const }] },
    { name: 'two', registers: [{ name: 'ESR_EL1', bits: 64 as const, group: 'system' as const }] },
  ];
  readonly loadOffset = 0x20_0000n;
  readonly threads = [1, 2];
  physicalMemory = false;
  readonly registers = [Buffer.alloc(8), Buffer.alloc(8, 1)];
  readonly memory = Buffer.alloc(0x1_0000);
  readonly did: unknown[] = [];
  /** Calls of `readMemory`. */
  reads = 0;
  events: GdbEvents | undefined;

  threadName(thread: number): string {
    return `vCPU ${thread - 1}`;
  }
  attach(events: GdbEvents): void {
    this.events = events;
    events.stopped({ kind: 'step', thread: 1 });
  }
  readRegister(_thread: number, number: number): Uint8Array | undefined {
    return this.registers[number];
  }
  writeRegister(thread: number, number: number, value: Uint8Array): boolean {
    this.did.push(['write', thread, number]);
    this.registers[number]?.set(value);
    return this.registers[number] !== undefined;
  }
  readMemory(_thread: number, address: bigint, bytes: number): Uint8Array {
    this.reads += 1;
    return this.memory.subarray(Number(address), Number(address) + bytes);
  }
  writeMemory(_thread: number, address: bigint, data: Uint8Array): boolean {
    if (Number(address) + data.length > this.memory.length) return false;
    this.memory.set(data, Number(address));
    return true;
  }
  insertBreakpoint(address: bigint): boolean {
    return this.#note('break', address);
  }
  removeBreakpoint(address: bigint): void {
    this.#note('unbreak', address);
  }
  insertWatchpoint(kind: WatchKind, address: bigint, bytes: number): boolean {
    return this.#note(kind, address, bytes);
  }
  removeWatchpoint(kind: WatchKind, address: bigint, bytes: number): void {
    this.#note('unwatch', kind, address, bytes);
  }
  resume(how: GdbResume): void {
    this.#note(how);
  }
  interrupt(): void {
    this.#note('interrupt');
    this.events?.stopped({ kind: 'interrupt', thread: 2 });
  }
  detach(): void {
    this.#note('detach');
  }
  kill(): void {
    this.#note('kill');
  }
  monitor(command: string): string {
    return `you said ${command}\n`;
  }

  #note(...what: unknown[]): boolean {
    this.did.push(what.length === 1 ? what[0] : what);
    return true;
  }
}

/** The debugger's end of a connection. */
export class TestClient {
  readonly socket: Socket;
  readonly #reader = new PacketReader();
  readonly #waiting: ((received: Received | undefined) => void)[] = [];
  readonly #received: (Received | undefined)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#reader.push(bytes);
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) this.#give(next);
    });
    socket.on('close', () => this.#give(undefined));
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<TestClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new TestClient(socket);
  }

  /** What arrives next; undefined at the end of the connection. */
  async next(): Promise<Received | undefined> {
    if (this.#received.length > 0) return this.#received.shift();
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a packet. @returns the data of the one that answers it; undefined at the end of the connection */
  async ask(data: string | Uint8Array): Promise<string | undefined> {
    this.socket.write(packet(data));
    return await this.answer();
  }

  /** The data of the next packet. */
  async answer(): Promise<string | undefined> {
    for (;;) {
      const received = await this.next();
      if (received === undefined) return undefined;
      if (received.kind === 'packet') return received.data.toString('latin1');
    }
  }

  #give(received: Received | undefined): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#received.push(received);
    else waiting(received);
  }
}
