import type { Stateful } from '../../device.ts';
import type { Chain } from './chain.ts';

/** What a virtio device has of its transport. */
export interface VirtioDriver {
  /** Whether the driver has set DRIVER_OK. */
  readonly ready: boolean;
  /**
   * The next chain of a queue; undefined if there is none, if the driver broke the rules, or if the device has to rest.
   */
  take(queue: number): Chain | undefined;
  /** @param written how many bytes of the chain's writable ones were written */
  give(queue: number, chain: Chain, written: number): void;
  /** Whether the driver accepted a feature bit. */
  has(feature: number): boolean;
  /** The configuration space has changed. */
  configurationChanged(): void;
}

/** A virtio device without its transport. State that it saves has no chains: those that it took, it has given. */
export interface VirtioDevice<State = unknown> extends Stateful<State>, Partial<Disposable> {
  /** Virtio 1.2, chapter 5. */
  readonly id: number;
  /** Feature bits of the device, each a number; the transport adds its own. */
  readonly features: readonly number[];
  /** Largest size of each queue, a power of two. */
  readonly queues: readonly number[];
  /** Guest time in nanoseconds from a notification until the device looks at the queue; 0 for at once. */
  readonly latency: number;
  /** Its configuration space. */
  readonly configuration: Uint8Array;
  /** A driver wrote a byte of it. */
  writeConfiguration?(offset: number, value: number): void;
  connect(driver: VirtioDriver): void;
  /** A queue may have chains: it takes all that it gets, and is called again for those that it does not get. */
  serve(queue: number): void;
  /** The driver reset the device. */
  reset(): void;
}
