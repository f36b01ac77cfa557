import type { Clock } from '../../../cpu/index.ts';
import type { AccessBytes, Device, GuestMemory, InterruptLine, Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';
import type { Chain } from './chain.ts';
import type { VirtioDevice, VirtioDriver } from './virtio-device.ts';
import { Virtqueue } from './virtqueue.ts';

/** Offsets (Virtio 1.2, 4.2.2). */
const Register = {
  MagicValue: 0x0,
  Version: 0x4,
  DeviceID: 0x8,
  VendorID: 0xc,
  DeviceFeatures: 0x10,
  DeviceFeaturesSel: 0x14,
  DriverFeatures: 0x20,
  DriverFeaturesSel: 0x24,
  QueueSel: 0x30,
  QueueNumMax: 0x34,
  QueueNum: 0x38,
  QueueReady: 0x44,
  QueueNotify: 0x50,
  InterruptStatus: 0x60,
  InterruptACK: 0x64,
  Status: 0x70,
  QueueDescLow: 0x80,
  QueueDescHigh: 0x84,
  QueueDriverLow: 0x90,
  QueueDriverHigh: 0x94,
  QueueDeviceLow: 0xa0,
  QueueDeviceHigh: 0xa4,
  SHMLenLow: 0xb0,
  SHMLenHigh: 0xb4,
  SHMBaseLow: 0xb8,
  SHMBaseHigh: 0xbc,
  ConfigGeneration: 0xfc,
  Config: 0x100,
} as const;

/** "virt". */
const MAGIC = 0x7472_6976;
const VERSION = 2;
/** "QEMU", which guests know; drivers do not look at it. */
const VENDOR = 0x554d_4551;
const Status = { DRIVER_OK: 4, FEATURES_OK: 8, NEEDS_RESET: 64 } as const;
const STATUS_BITS = 0xcf;
const Cause = { QUEUE: 1, CONFIGURATION: 2 } as const;
/** VIRTIO_F_INDIRECT_DESC and VIRTIO_F_VERSION_1. */
const transportFeatures = [28, 32];
const VERSION_1 = 32;
/**
 * What a device moves at once, which takes the host about a millisecond, and how fast in guest time: a guest pays for
 * the work that it gives to the host. A chain costs something besides its bytes.
 */
const BYTES_AT_ONCE = 4 * 1024 * 1024;
const BYTES_PER_NANOSECOND = 4;
/** Less than this costs no more than the access that notified the device. */
const BYTES_FOR_FREE = 64 * 1024;
const CHAIN_COST = 1024;

/** Index in the areas of a queue, by the register. */
const areas: ReadonlyMap<number, number> = new Map(
  [
    Register.QueueDescLow,
    Register.QueueDescHigh,
    Register.QueueDriverLow,
    Register.QueueDriverHigh,
    Register.QueueDeviceLow,
    Register.QueueDeviceHigh,
  ].map((offset, index) => [offset, index]),
);

interface VirtioMmioState {
  readonly status: number;
  readonly driverFeatures: readonly [number, number];
  readonly selected: { readonly device: number; readonly driver: number; readonly queue: number };
  readonly queues: readonly ReturnType<Virtqueue['save']>[];
  readonly causes: number;
  readonly generation: number;
  readonly notified: readonly number[];
  readonly due: number | undefined;
  readonly busyUntil: number;
  readonly device: unknown;
}

export interface VirtioMmioOptions {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  readonly memory: GuestMemory;
  /** What is in the slot. @default nothing: the slot is empty, which drivers pass over */
  readonly device?: VirtioDevice;
}

/**
 * The transport virtio-mmio, version 2 (Virtio 1.2, 4.2), of one device. A driver that breaks the rules finds
 * DEVICE_NEEDS_RESET set, and nothing else happens to it.
 */
export class VirtioMmio implements Device, VirtioDriver, Stateful<VirtioMmioState> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #device: VirtioDevice | undefined;
  readonly #features: readonly [number, number];
  readonly #queues: readonly Virtqueue[];
  readonly #alarm: GuestAlarm;
  #status = 0;
  #driverFeatures: [number, number] = [0, 0];
  #selected = { device: 0, driver: 0, queue: 0 };
  #causes = 0;
  #generation = 0;
  /** Queues that the device has to look at. */
  readonly #notified = new Set<number>();
  /** Guest time until which the device is busy with what it has moved. */
  #busyUntil = 0;
  /** Bytes that may be moved before the device has to rest. */
  #budget = Infinity;

  constructor({ clock, interrupt, memory, device }: VirtioMmioOptions) {
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#device = device;
    this.#features = featureWords([...transportFeatures, ...(device?.features ?? [])]);
    this.#queues = (device?.queues ?? []).map((limit) => new Virtqueue(memory, limit));
    this.#alarm = new GuestAlarm(clock, () => {
      this.#serve();
    });
    device?.connect(this);
  }

  get ready(): boolean {
    return (this.#status & (Status.DRIVER_OK | Status.NEEDS_RESET)) === Status.DRIVER_OK;
  }

  has(feature: number): boolean {
    return (((this.#driverFeatures[feature >>> 5] ?? 0) >>> (feature & 31)) & 1) !== 0;
  }

  take(queue: number): Chain | undefined {
    const from = this.ready ? this.#queues[queue] : undefined;
    if (this.#budget <= 0) {
      this.#notified.add(queue);
      return undefined;
    }
    const chain = from?.take();
    if (from?.broken === true) this.#fail();
    if (chain !== undefined) this.#budget -= chain.readableBytes + chain.writableBytes + CHAIN_COST;
    return chain;
  }

  give(queue: number, chain: Chain, written: number): void {
    const to = this.#queues[queue];
    const interrupts = to?.give(chain, written);
    if (to?.broken === true) this.#fail();
    else if (interrupts === true) this.#signal(Cause.QUEUE);
  }

  configurationChanged(): void {
    this.#generation = (this.#generation + 1) >>> 0;
    if (this.ready) this.#signal(Cause.CONFIGURATION);
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (offset >= Register.Config) return this.#readConfiguration(offset - Register.Config, bytes);
    const within = offset % 4;
    return this.#readRegister(offset - within) >>> (8 * within);
  }

  write(offset: number, bytes: AccessBytes, low: number, high: number): void {
    if (offset >= Register.Config) {
      this.#writeConfiguration(offset - Register.Config, Math.min(bytes, 4), low);
      if (bytes === 8) this.#writeConfiguration(offset - Register.Config + 4, 4, high);
    } else if (offset % 4 === 0) {
      this.#writeRegister(offset, low >>> 0);
      if (bytes === 8) this.#writeRegister(offset + 4, high >>> 0);
    }
  }

  save(): VirtioMmioState {
    return {
      status: this.#status,
      driverFeatures: [...this.#driverFeatures],
      selected: { ...this.#selected },
      queues: this.#queues.map((queue) => queue.save()),
      causes: this.#causes,
      generation: this.#generation,
      notified: [...this.#notified],
      due: this.#alarm.at,
      busyUntil: this.#busyUntil,
      device: this.#device?.save(),
    };
  }

  restore(state: VirtioMmioState): void {
    this.#status = state.status;
    this.#driverFeatures = [...state.driverFeatures];
    this.#selected = { ...state.selected };
    for (const [index, queue] of state.queues.entries()) this.#queues[index]?.restore(queue);
    this.#causes = state.causes;
    this.#generation = state.generation;
    this.#notified.clear();
    for (const queue of state.notified) this.#notified.add(queue);
    this.#alarm.set(state.due);
    this.#busyUntil = state.busyUntil;
    this.#device?.restore(state.device);
    this.#drive();
  }

  #readRegister(offset: number): number {
    const queue = this.#queues[this.#selected.queue];
    switch (offset) {
      case Register.MagicValue:
        return MAGIC;
      case Register.Version:
        return VERSION;
      case Register.DeviceID:
        return this.#device?.id ?? 0;
      case Register.VendorID:
        return VENDOR;
      case Register.DeviceFeatures:
        return this.#features[this.#selected.device] ?? 0;
      case Register.QueueNumMax:
        return queue?.limit ?? 0;
      case Register.QueueReady:
        return Number(queue?.ready ?? false);
      case Register.InterruptStatus:
        return this.#causes;
      case Register.Status:
        return this.#status;
      case Register.SHMLenLow:
      case Register.SHMLenHigh:
      case Register.SHMBaseLow:
      case Register.SHMBaseHigh:
        // There is no shared memory.
        return 0xffff_ffff;
      case Register.ConfigGeneration:
        return this.#generation;
      default:
        return 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    if (this.#device === undefined) return;
    const queue = this.#queues[this.#selected.queue];
    switch (offset) {
      case Register.DeviceFeaturesSel:
        this.#selected.device = value;
        return;
      case Register.DriverFeaturesSel:
        this.#selected.driver = value;
        return;
      case Register.DriverFeatures:
        // Negotiation is over once FEATURES_OK is set.
        if (this.#selected.driver < 2 && (this.#status & Status.FEATURES_OK) === 0) {
          this.#driverFeatures[this.#selected.driver] = value;
        }
        return;
      case Register.QueueSel:
        this.#selected.queue = value;
        return;
      case Register.QueueNotify:
        this.#notify(value);
        return;
      case Register.InterruptACK:
        this.#causes &= ~value;
        this.#drive();
        return;
      case Register.Status:
        this.#setStatus(value & STATUS_BITS);
        return;
    }
    if (queue === undefined) return;
    if (offset === Register.QueueReady) {
      queue.ready = (value & 1) !== 0;
      return;
    }
    // Where a queue is cannot change while it is in use.
    if (queue.ready) return;
    if (offset === Register.QueueNum) {
      if (isPowerOfTwo(value) && value <= queue.limit) queue.size = value;
      return;
    }
    const area = areas.get(offset);
    if (area !== undefined) queue.areas[area] = value;
  }

  #setStatus(status: number): void {
    if (status === 0) {
      this.#reset();
      return;
    }
    let accepted = status | (this.#status & Status.NEEDS_RESET);
    if ((accepted & Status.FEATURES_OK) !== 0 && !this.#featuresAcceptable) accepted &= ~Status.FEATURES_OK;
    const started = (accepted & ~this.#status & Status.DRIVER_OK) !== 0;
    this.#status = accepted;
    if (started) this.#queues.forEach((_, index) => this.#notified.add(index));
    if (started) this.#schedule();
  }

  get #featuresAcceptable(): boolean {
    const offered = this.#driverFeatures.every((word, index) => (word & ~(this.#features[index] ?? 0)) === 0);
    return offered && this.has(VERSION_1);
  }

  #reset(): void {
    this.#status = 0;
    this.#driverFeatures = [0, 0];
    this.#selected = { device: 0, driver: 0, queue: 0 };
    this.#causes = 0;
    this.#notified.clear();
    this.#alarm.set(undefined);
    for (const queue of this.#queues) queue.reset();
    this.#device?.reset();
    this.#drive();
  }

  #notify(queue: number): void {
    if (!this.ready || queue >= this.#queues.length) return;
    this.#notified.add(queue);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#alarm.at !== undefined) return;
    const at = Math.max(this.#clock.now + (this.#device?.latency ?? 0), this.#busyUntil);
    if (at <= this.#clock.now) this.#serve();
    else this.#alarm.set(at);
  }

  #serve(): void {
    const notified = [...this.#notified].sort((a, b) => a - b);
    this.#notified.clear();
    this.#budget = BYTES_AT_ONCE;
    for (const queue of notified) if (this.ready) this.#device?.serve(queue);
    const moved = BYTES_AT_ONCE - this.#budget;
    this.#budget = Infinity;
    if (moved > BYTES_FOR_FREE) this.#busyUntil = this.#clock.now + Math.ceil(moved / BYTES_PER_NANOSECOND);
    if (this.#notified.size > 0) this.#alarm.set(this.#busyUntil);
  }

  #fail(): void {
    if ((this.#status & Status.NEEDS_RESET) !== 0) return;
    const started = this.ready;
    this.#status |= Status.NEEDS_RESET;
    if (started) this.#signal(Cause.CONFIGURATION);
  }

  #readConfiguration(offset: number, bytes: number): number {
    const { configuration } = this.#device ?? {};
    let value = 0;
    for (let n = bytes - 1; n >= 0; n -= 1) value = value * 256 + (configuration?.[offset + n] ?? 0);
    return value;
  }

  #writeConfiguration(offset: number, bytes: number, value: number): void {
    for (let n = 0; n < bytes; n += 1) this.#device?.writeConfiguration?.(offset + n, (value >>> (8 * n)) & 0xff);
  }

  #signal(cause: number): void {
    this.#causes |= cause;
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set(this.#causes !== 0);
  }
}

function featureWords(bits: readonly number[]): [number, number] {
  const words: [number, number] = [0, 0];
  for (const bit of bits) words[bit >>> 5 === 0 ? 0 : 1] |= 1 << (bit & 31);
  return [words[0] >>> 0, words[1] >>> 0];
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}
