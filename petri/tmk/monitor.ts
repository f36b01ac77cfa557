import type { HaltReason, PlaneExit, Registers, TmkEvent, TmkImage } from '../contract/index.ts';
import { BoundedLog } from '../text/index.ts';
import { TmkChannel, type TmkListener, type TmkVerdict } from './channel.ts';
import { PayloadLocator } from './locator.ts';
import { isInHole } from './memory-holes.ts';
import { COMMAND_ADDRESS, type ReadGuestMemory } from './protocol.ts';

/**
 * What the monitor of a TMK makes of what its guest does, the same under every monitor: which accesses outside of RAM
 * are emulated and how, commands, and how the run halts. One for each run of a guest.
 */
export class TmkMonitor {
  /** Names what is at an address. */
  readonly locator: PayloadLocator;
  /** Takes the commands; `command` is enough where all of the guest's memory can be read at once. */
  readonly channel: TmkChannel;
  readonly #base: number;
  readonly #reads: BoundedLog;
  readonly #writes: BoundedLog;

  /** @param base where the memory of the TMK begins: there is address 0 of its image as linked */
  constructor(image: TmkImage, base: number, listener: TmkListener) {
    this.#base = base;
    this.locator = new PayloadLocator(image, base);
    this.channel = new TmkChannel(listener, this.locator);
    this.#reads = new BoundedLog('reads of no device', listener.log);
    this.#writes = new BoundedLog('writes to no device', listener.log);
  }

  /** What the guest sent so far, as `TmkChannel.events`. */
  get events(): readonly TmkEvent[] {
    return this.channel.events;
  }

  /** How the run halts, once the guest sent Complete or Panic. */
  get halt(): HaltReason | undefined {
    const { verdict } = this.channel;
    return verdict === undefined ? undefined : haltOfVerdict(verdict);
  }

  /**
   * Whether an access to an address without memory is served as one to a device. It is not where a mistake leads, such
   * as a null pointer or an overflow of the stack: that ends the guest as a fault.
   */
  emulates(ipa: number): boolean {
    return !isInHole(ipa, this.#base);
  }

  /**
   * Takes note of a load from an address without memory, which is to give all ones; the first ones are logged, but for
   * those of the command address.
   *
   * @param summary gives the access and its address, in words; called for what is logged
   */
  read(ipa: number, summary: () => string): void {
    if (ipa !== COMMAND_ADDRESS && this.#reads.open) this.#reads.add(`${summary()}: no device; read as all ones`);
  }

  /**
   * Takes note of a store to an address without memory that is not the command address: it is to be ignored, and the
   * first ones are logged.
   *
   * @param low lower 32 bits of what is stored
   * @param high upper 32 bits
   * @param summary as for `read`
   */
  write(low: number, high: number, summary: () => string): void {
    if (!this.#writes.open) return;
    const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    this.#writes.add(`${summary()}: no device; ignored 0x${value.toString(16)}`);
  }

  /**
   * Takes in a store to the command address.
   *
   * @param bytes size of the store
   * @param pointer what was stored
   * @returns how the run halts, if it does now
   */
  command(bytes: number, pointer: number, read: ReadGuestMemory): HaltReason | undefined {
    this.channel.store(bytes, pointer, read);
    return this.halt;
  }

  /**
   * That the run ends where the guest is, with the symbol there.
   *
   * @param exit of a fault, where the VM has planes
   */
  haltAt(reason: 'fault' | 'budget' | 'timeout', message: string, registers: Registers, exit?: PlaneExit): HaltReason {
    const { symbol } = this.locator.locate(registers.pc);
    return {
      reason,
      message,
      ...(exit === undefined ? {} : { exit }),
      registers,
      ...(symbol === undefined ? {} : { symbol }),
    };
  }

  /**
   * That the run was ended from outside, where the guest was.
   *
   * @param why which limit it was: the beginning of a sentence
   * @param note what else is known of the place: a clause to put behind it, or ''
   */
  expired(reason: 'budget' | 'timeout', why: string, registers: Registers, note = ''): HaltReason {
    const { text } = this.locator.locate(registers.pc);
    return this.haltAt(reason, `${why}; it was at ${text}${note}`, registers);
  }
}

function haltOfVerdict(verdict: TmkVerdict): HaltReason {
  if (verdict.kind === 'complete') return { reason: 'complete', success: verdict.success };
  return { reason: 'panic', message: verdict.message, location: `${verdict.file}:${verdict.line}` };
}
