import {
  attachHint,
  debuggerRequest as requestIn,
  type DebuggerRequest,
  debuggerVariable,
} from '../../petri/debugging.ts';
import { PetriError } from '../../petri/errors.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import type { QmpClient } from '../../petri/kit/qemu/index.ts';

export type { DebuggerRequest } from '../../petri/debugging.ts';

/** Of QEMU alone, before the variable of all backends. */
const VARIABLE = 'PETRI_QEMU_GDB';

/** What `$PETRI_QEMU_GDB` or `$PETRI_GDB` asks for. @throws PetriError `invalid-option` */
export function debuggerRequest(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): DebuggerRequest | undefined {
  return requestIn(environment, [VARIABLE, debuggerVariable]);
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
      remedy: `let ${VARIABLE} or ${debuggerVariable} name another port, or 0`,
    });
  }
  return attachHint(elf, port, request.wait);
}
