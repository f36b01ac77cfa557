import { Supervisor } from '../../../petri/kit/process/index.ts';
import { failed } from './failed.ts';

const MAX_OUTPUT = 64 * 1024;

export interface PowerCommandResult {
  /** Absent if a signal ended it. */
  readonly code: number | undefined;
  /** How it ended, for a message. */
  readonly how: string;
  /** Its output, without secrets. */
  readonly said: string;
}

/** Runs a command that must succeed. @returns its output @throws PetriError `power-failed`, `tool-missing` */
export async function runPowerCommand(name: string, argv: readonly string[], seconds: number): Promise<string> {
  const { code, how, said } = await tryPowerCommand(name, argv, seconds);
  if (code === 0) return said;
  throw failed(name, `${how}: ${said}`, 'try the command by hand');
}

/**
 * @param secrets environment variables for the command, whose values are never shown
 * @throws PetriError `power-failed` if it does not end, `tool-missing`
 */
export async function tryPowerCommand(
  name: string,
  argv: readonly string[],
  seconds: number,
  secrets: Readonly<Record<string, string>> = {},
): Promise<PowerCommandResult> {
  const [command = '', ...args] = argv;
  const supervisor = await Supervisor.open();
  const child = await supervisor.spawn({ name: `power of ${name}`, command, args, env: secrets, stdin: 'ignore' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      if (said.length < MAX_OUTPUT) said += bytes.toString('utf8');
    });
  }
  const watch = { late: false };
  const timer = setTimeout(() => {
    watch.late = true;
    void child.stop();
  }, seconds * 1000);
  const exit = await child.exited;
  clearTimeout(timer);
  await child.stop();
  const shown = redact(said.trim(), Object.values(secrets));
  if (watch.late) throw failed(name, `${command} did not end within ${String(seconds)} s`, 'look whether it answers');
  return { code: exit.code ?? undefined, how: `${command} ${exit.describe()}`, said: shown };
}

/** Removes secrets from the output of another program. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '***')), text);
}
