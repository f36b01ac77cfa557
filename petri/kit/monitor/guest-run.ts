import type { TmkEvent, HaltReason, Registers } from '../../contract/index.ts';
import type { TmkMonitor } from '../../tmk/index.ts';
import { accessSummary, guestFault, isWrite } from '../arm/index.ts';
import { isGuestMode } from './guest-mode.ts';
import type { GuestState, MonitorMessage } from './monitor-protocol.ts';

/** Receives what a guest does. */
export interface GuestListener {
  message(message: MonitorMessage): void;
  /** The machine is lost, or can no longer be trusted. @param why a part of a sentence */
  lost(why: string): void;
}

/** The machine of a guest, as controlled by the guest's run. */
export interface GuestMachine {
  /** Resumes a guest that waits after a store. */
  resume(): void;
  /** Reports that the guest has ended: it does nothing any more, and none of its output is in transit. */
  rest(): void;
}

/**
 * One guest on a machine, from its start to its halt: turns its records into console text, events, and the reason of
 * its halt.
 */
export class GuestRun implements GuestListener {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly #machine: GuestMachine;
  readonly #monitor: TmkMonitor;
  #registers: Registers | undefined;
  #over = false;
  #resolve: (halt: HaltReason) => void = () => undefined;

  constructor(machine: GuestMachine, monitor: TmkMonitor) {
    this.#machine = machine;
    this.#monitor = monitor;
    this.halted = new Promise((resolve) => (this.#resolve = resolve));
  }

  get events(): readonly TmkEvent[] {
    return this.#monitor.events;
  }

  get over(): boolean {
    return this.#over;
  }

  /** The registers at the halt, or at the last query; undefined if unknown. */
  get registers(): Registers | undefined {
    return this.#registers;
  }

  /** Ends the run on our side. Only the first reason counts. */
  end(halt: HaltReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolve(halt);
  }

  /** As `end`, with the guest's PC if the stopped machine reported it. */
  endAt(reason: 'timeout', why: string, state: Registers | undefined): void {
    if (state === undefined || !isGuestMode(state)) {
      this.end({ reason, message: `${why}; where it was is not known` });
      return;
    }
    this.#registers = state;
    this.end(this.#monitor.expired(reason, why, state));
  }

  /** Saves the registers of a guest that is about to be ended. */
  remember(registers: Registers): void {
    this.#registers = registers;
  }

  lost(why: string): void {
    this.end({ reason: 'backend-lost', message: why });
  }

  message(message: MonitorMessage): void {
    if (this.#over) return;
    switch (message.kind) {
      case 'store':
        this.#store(message);
        break;
      case 'state':
        this.#registers = message.state.registers;
        break;
      case 'fault':
        this.#rest(message.state, guestFault(message.state, this.#monitor));
        break;
      case 'power-off':
      case 'reset':
        this.#rest(message.state, { reason: message.kind });
        break;
      case 'unserved':
        this.#unserved(message);
        break;
      case 'ready':
        break;
    }
  }

  #store({ pointer, bytes, waits, read }: MonitorMessage & { readonly kind: 'store' }): void {
    const halt = this.#monitor.command(bytes, pointer, read);
    if (halt === undefined) {
      if (waits) this.#machine.resume();
      return;
    }
    if (waits) this.#machine.rest();
    this.end(halt);
  }

  #rest({ registers }: GuestState, halt: HaltReason): void {
    this.#registers = registers;
    this.#machine.rest();
    this.end(halt);
  }

  #unserved({ esr, ipa, value }: MonitorMessage & { readonly kind: 'unserved' }): void {
    const summary = (): string => accessSummary(esr, ipa);
    if (isWrite(esr)) this.#monitor.write(Number(value & 0xffff_ffffn), Number(value >> 32n), summary);
    else this.#monitor.read(Number(ipa), summary);
  }
}
