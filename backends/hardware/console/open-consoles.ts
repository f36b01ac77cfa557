import type { LaunchContext } from '../../../petri/contract/index.ts';
import { connectConsole, type SerialConsole } from '../../../petri/serial/index.ts';
import type { ConsoleConnection } from './connection.ts';
import { openCommandConsole } from './command-console.ts';
import type { DirectSource } from './labgrid-console.ts';

/** Milliseconds in which a busy console server is tried again, since another user may just be leaving. */
const RETRY_FOR = 5000;

/** What the Enter key of a terminal sends: firmware accepts nothing else, and terminals of Linux accept it too. */
const ENTER = 'cr';

export interface OpenConsoles {
  /** Idempotent; never rejects. */
  end(): Promise<void>;
}

/**
 * Connects the consoles of a board other than its launcher's. The reason why one ends is in the VM's log and in the
 * console's close reason.
 *
 * @throws PetriError `connection-failed`, `tool-missing`
 */
export async function openConsoles(sources: readonly DirectSource[], context: LaunchContext): Promise<OpenConsoles> {
  const connections: ConsoleConnection[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(
      connections.splice(0).map(async (connection) => {
        await connection.end();
        await connection.closed;
      }),
    );
  };
  try {
    for (const source of sources) {
      const held: { connection?: ConsoleConnection } = {};
      const console = context.openConsole(source.name, (bytes) => void held.connection?.write(bytes));
      console.lineEnding = source.lineEnding ?? ENTER;
      const connection = await connect(source, console, context);
      held.connection = connection;
      connections.push(connection);
      void connection.closed.then((why) => {
        context.log(`console ${source.name} ended: ${why}`);
        console.close(why);
      });
    }
    return { end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function connect(
  source: DirectSource,
  console: SerialConsole,
  { signal }: LaunchContext,
): Promise<ConsoleConnection> {
  if (source.kind === 'command') return await openCommandConsole(source, console);
  return await connectConsole({
    host: source.address,
    port: source.port,
    mode: source.kind === 'tcp' ? 'raw' : 'telnet',
    console,
    signal,
    retryFor: RETRY_FOR,
  });
}
