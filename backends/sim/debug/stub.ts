import { attachHint, debuggerRequest, type DebuggerRequest } from '../../../petri/debugging.ts';
import type { HaltReason } from '../../../petri/contract/index.ts';
import { harmlessLine, printError } from '../../../petri/text/index.ts';
import { GdbServer } from '../../../petri/kit/gdb/index.ts';
import type { DebuggedGuest } from './debugged-guest.ts';
import { SimTarget } from './sim-target.ts';

/** What a user asks for. */
export interface Debugging {
  readonly request: DebuggerRequest;
  /** Path of the payload, if it is an ELF file, for whoever attaches. */
  readonly elf: string | undefined;
  /** Says how to attach. */
  readonly announce: (hint: string) => void;
}

/**
 * What `$PETRI_GDB` asks for.
 *
 * @param elf path of the payload, if it is an ELF file
 * @throws PetriError `invalid-option`
 */
export function debuggingOf(elf: string | undefined, log: (message: string) => void): Debugging | undefined {
  const request = debuggerRequest();
  const announce = (hint: string): void => {
    log(hint);
    printError(`${harmlessLine(hint)}\n`);
  };
  return request && { request, elf, announce };
}

/** What runs the guest. */
export interface DebugLoop {
  readonly halted: Promise<HaltReason>;
  /** Goes on with a guest that stood still. */
  wake(): void;
  end(halt: HaltReason): void;
}

/** The GDB remote stub of one boot of a VM. */
export class DebugStub {
  readonly #server: GdbServer;
  readonly #target: SimTarget;

  private constructor(server: GdbServer, target: SimTarget) {
    this.#server = server;
    this.#target = target;
  }

  /**
   * Listens, before the guest runs, until it halts.
   *
   * @throws PetriError `tool-failed` if the port is taken
   */
  static async open({ request, elf, announce }: Debugging, guest: DebuggedGuest, loop: DebugLoop): Promise<DebugStub> {
    guest.wake = () => loop.wake();
    const kill = (): void => loop.end({ reason: 'stopped' });
    const target = new SimTarget(guest, kill);
    const server = await GdbServer.open(target, request.port);
    if (request.wait) guest.hold();
    announce(attachHint(elf, server.port, request.wait));
    const stub = new DebugStub(server, target);
    void loop.halted.then((halt) => stub.close(halt));
    return stub;
  }

  /** The boot is over. Idempotent. */
  close(halt: HaltReason): void {
    this.#target.halted(halt);
    this.#server.close();
  }
}
