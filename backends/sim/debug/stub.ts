import { attachHint, type DebuggerRequest } from '../../../petri/debugging.ts';
import type { HaltReason } from '../../../petri/contract/index.ts';
import { GdbServer } from '../../../petri/kit/gdb/index.ts';
import type { DebuggedGuest } from './debugged-guest.ts';
import { SimTarget } from './sim-target.ts';

/** What a stub needs of its VM. */
export interface StubOptions {
  readonly guest: DebuggedGuest;
  readonly request: DebuggerRequest;
  /** Path of the payload, for whoever attaches. */
  readonly elf: string;
  /** Ends the VM. */
  readonly kill: () => void;
  /** Says how to attach. */
  readonly announce: (hint: string) => void;
}

/** The GDB remote stub of one boot of a VM. */
export class DebugStub {
  readonly #server: GdbServer;
  readonly #target: SimTarget;

  private constructor(server: GdbServer, target: SimTarget) {
    this.#server = server;
    this.#target = target;
  }

  /** Listens, before the guest runs. @throws PetriError `tool-failed` if the port is taken */
  static async open({ guest, request, elf, kill, announce }: StubOptions): Promise<DebugStub> {
    const target = new SimTarget(guest, kill);
    const server = await GdbServer.open(target, request.port);
    if (request.wait) guest.hold();
    announce(attachHint(elf, server.port, request.wait));
    return new DebugStub(server, target);
  }

  /** The boot is over. Idempotent. */
  close(halt: HaltReason): void {
    this.#target.halted(halt);
    this.#server.close();
  }
}
