import { Supervisor } from '../../../petri/kit/process/index.ts';
import { failed } from './failed.ts';

const MAX_OUTPUT = 64 * 1024;

export interface PowerCommandResult {
  /** Absent where a signal ended it. */
  readonly code: number | undefined;
  /** How it ended, for a message. */
  readonly how: string;
  /** What it printed, without secrets. */
  readonly said: string;
}

/** What a command that has to succeed prints. @throws PetriError `power-failed`, `tool-missing` */
export async function runPowerCommand(name: string, argv: readonly string[], seconds: number): Promise<string> {
  const { code, how, said } = await tryPowerCommand(name, argv, seconds);
  if (code === 0) return said;
  throw failed(name, `${how}: ${said}`, 'try the command by hand');
}

/**
 * @param secrets variables for the command, of which nothing may be shown
 * @throws PetriError `power-failed` where it does not end, `tool-missing`
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
  if (watch.late)
    throw failed(name, `${command} did not come back within ${String(seconds)} s`, 'look whether it answers');
  return { code: exit.code ?? undefined, how: `${command} ${exit.describe()}`, said: shown };
}

/** What somebody else prints may have a secret in it. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '***')), text);
}
