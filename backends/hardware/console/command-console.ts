import { PetriError } from '../../../petri/errors.ts';
import { Supervisor } from '../../../petri/kit/process/index.ts';
import type { SerialConsole } from '../../../petri/serial/index.ts';
import type { ConsoleSource } from '../hosts/schema.ts';
import type { ConsoleConnection } from './connection.ts';

/** Milliseconds from SIGHUP to SIGKILL, and for the command that ends a session. */
const GRACE = 3000;
const END_TIMEOUT = 10_000;

/**
 * A local command on a terminal of its own as a console: `ipmitool … sol activate`, `picocom`, `console`. A runner that
 * is killed closes the terminal, which ends the command by SIGHUP.
 *
 * @throws PetriError `tool-missing`
 */
export async function openCommandConsole(
  { argv, end, name }: ConsoleSource & { readonly kind: 'command' },
  console: SerialConsole,
): Promise<ConsoleConnection> {
  const { spawn } = await loadPty();
  const [command = '', ...args] = argv;
  const pty = spawn(command, args, { name: 'vt100', cols: 200, rows: 50, encoding: null, cwd: process.cwd() });
  // Without an encoding the data are bytes, whatever the type declarations say.
  pty.onData((data: string | Uint8Array) => {
    console.push(typeof data === 'string' ? Buffer.from(data) : data);
  });
  // The type declarations only allow strings, but bytes are accepted.
  const terminal: { write(data: Uint8Array | string): void } = pty;
  let over = false;
  const closed = new Promise<string>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      over = true;
      resolve(
        `${command} ${signal === undefined || signal === 0 ? `exited with code ${String(exitCode)}` : `was ended by signal ${String(signal)}`}`,
      );
    });
  });
  let ending: Promise<void> | undefined;
  const finish = async (): Promise<void> => {
    if (!over) {
      pty.kill('SIGHUP');
      const timer = setTimeout(() => {
        if (!over) pty.kill('SIGKILL');
      }, GRACE);
      await closed;
      clearTimeout(timer);
    }
    if (end !== undefined) await runToEnd(name, end);
  };
  return {
    write: (bytes) => {
      if (!over) terminal.write(Buffer.from(bytes));
    },
    closed,
    end: () => (ending ??= finish()),
  };
}

/** Runs a command such as `ipmitool … sol deactivate`: a session that is not ended blocks the next one. */
async function runToEnd(name: string, argv: readonly string[]): Promise<void> {
  const [command = '', ...args] = argv;
  const supervisor = await Supervisor.open();
  const child = await supervisor.spawn({ name: `end of console ${name}`, command, args, stdin: 'ignore' });
  const timer = setTimeout(() => void child.stop(), END_TIMEOUT);
  await child.exited;
  clearTimeout(timer);
}

/** Loaded when a console of this kind is opened. @throws PetriError `tool-missing` */
export async function loadPty(): Promise<typeof import('node-pty')> {
  try {
    return await import('node-pty');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PetriError(`the package node-pty, which consoles of kind \`command\` need, cannot be loaded: ${why}`, {
      code: 'tool-missing',
      step: 'launch',
      remedy:
        'install petri-vm with its optional dependencies (npm install --include=optional); node-pty is prebuilt for ' +
        'Linux with glibc, macOS and Windows, on x64 and arm64',
      cause: error,
    });
  }
}
