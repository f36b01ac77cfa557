import { MonitorMachine, type MonitorMachineOptions } from './monitor-machine.ts';

/** Machines without a guest that are kept for the next one. */
const MAX_IDLE = 2;

/**
 * Machines whose guests have come to their end, reset and waiting: a reset takes 4 ms, a new QEMU 40 ms. Guests see no
 * difference: the PE and all devices are reset by QEMU, and the monitor makes zero what the last guest touched.
 */
export class MachinePool {
  #idle: { readonly machine: MonitorMachine; readonly ready: Promise<void> }[] = [];
  readonly #ending = new Set<Promise<void>>();

  /** A machine without a past that matters. @throws PetriError as `MonitorMachine.start` does */
  async acquire(options: MonitorMachineOptions): Promise<MonitorMachine> {
    for (;;) {
      const at = this.#idle.findIndex(({ machine }) => machine.memory === options.memory);
      const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
      if (found === undefined) return await MonitorMachine.start(options);
      try {
        await found.ready;
        if (found.machine.reusable) return found.machine;
        void this.discard(found.machine);
      } catch {
        // One that cannot be reset is not used: a new one will do.
        void this.discard(found.machine);
      }
    }
  }

  /** Takes a machine back whose guest has ended, and prepares it for the next one while nobody waits. */
  release(machine: MonitorMachine): void {
    if (!machine.reusable) {
      void this.discard(machine);
      return;
    }
    const ready = machine.reset();
    // Whoever takes it will hear of it.
    ready.catch(() => undefined);
    this.#idle.push({ machine, ready });
    while (this.#idle.length > MAX_IDLE) {
      const [oldest] = this.#idle.splice(0, 1);
      if (oldest !== undefined) void this.discard(oldest.machine);
    }
  }

  /** Ends a machine. */
  discard(machine: MonitorMachine): Promise<void> {
    const ending = machine.end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return ending;
  }

  /** Ends all machines that nobody uses. Idempotent; never rejects. */
  async close(): Promise<void> {
    const idle = this.#idle;
    this.#idle = [];
    for (const { machine } of idle) void this.discard(machine);
    await Promise.all(this.#ending);
  }
}
