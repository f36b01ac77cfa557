import { MonitorMachine, type MonitorMachineOptions } from './monitor-machine.ts';

/** Idle machines that are kept for the next guest. */
const MAX_IDLE = 2;

/**
 * Machines whose guests have ended, reset and waiting: a reset takes 4 ms, a new QEMU 40 ms. Guests see no difference:
 * QEMU resets the PE and all devices, and the monitor clears what the last guest touched.
 */
export class MachinePool {
  #idle: { readonly machine: MonitorMachine; readonly ready: Promise<void> }[] = [];
  readonly #ending = new Set<Promise<void>>();

  /** A machine that is as good as new. @throws PetriError as `MonitorMachine.start` does */
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
        // If it cannot be reset, a new machine is used.
        void this.discard(found.machine);
      }
    }
  }

  /** Takes back a machine whose guest has ended, and resets it in the background. */
  release(machine: MonitorMachine): void {
    if (!machine.reusable) {
      void this.discard(machine);
      return;
    }
    const ready = machine.reset();
    // The next user of the machine receives the rejection.
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

  /** Ends all idle machines. Idempotent; never rejects. */
  async close(): Promise<void> {
    const idle = this.#idle;
    this.#idle = [];
    for (const { machine } of idle) void this.discard(machine);
    await Promise.all(this.#ending);
  }
}
