import { PetriError } from '../../petri/errors.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import type { QmpClient } from '../../petri/kit/qemu/index.ts';

const VARIABLE = 'PETRI_QEMU_GDB';

/** A request for QEMU's GDB stub. */
export interface DebuggerRequest {
  /** TCP port of 127.0.0.1; 0 for any. */
  readonly port: number;
  /** Whether the guest waits until the debugger continues it. */
  readonly wait: boolean;
}

/**
 * Parses `$PETRI_QEMU_GDB`: a port, `0` for any free one, optionally followed by `,wait`.
 *
 * @throws PetriError `invalid-option`
 */
export function debuggerRequest(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): DebuggerRequest | undefined {
  const value = environment[VARIABLE];
  if (value === undefined || value === '') return undefined;
  const [, digits, wait] = /^(\d{1,5})(,wait)?$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65_535) return { port, wait: wait !== undefined };
  throw new PetriError(`${VARIABLE} is ${JSON.stringify(value)}, which is no port`, {
    code: 'invalid-option',
    step: 'options',
    remedy:
      "give a port of this machine such as '1234', '0' for any, or '1234,wait' for a guest that waits for the debugger",
  });
}

/**
 * Opens QEMU's GDB stub, on loopback only.
 *
 * @returns how to connect
 * @throws PetriError `tool-failed` if the port is taken
 */
export async function openDebugger(qmp: QmpClient, request: DebuggerRequest, elf: string): Promise<string> {
  const port = request.port === 0 ? await (await Supervisor.open()).freePort() : request.port;
  if (request.wait) await qmp.execute('stop');
  const said = await qmp.human(`gdbserver tcp:127.0.0.1:${port}`);
  if (!said.startsWith('Waiting for gdb connection')) {
    throw new PetriError(`QEMU cannot listen for a debugger on port ${port}: ${said.trim()}`, {
      code: 'tool-failed',
      step: 'boot',
      remedy: `let ${VARIABLE} name another port, or 0`,
    });
  }
  const held = request.wait ? "; the guest waits for the debugger's 'continue'" : '';
  return `debug with: gdb-multiarch ${elf} -ex 'target remote 127.0.0.1:${port}'${held}`;
}
