import { execFile } from 'node:child_process';
import * as z from 'zod';

import { budget } from './budgets.ts';

/** Bytes of QMP's answers; the list of types is the longest. */
const MAX_OUTPUT = 16 * 2 ** 20;

/** Properties of a QEMU. */
export interface Asked {
  readonly version: string;
  readonly package: string;
  readonly machines: readonly string[];
  readonly devices: readonly string[];
  readonly cpuProperties: readonly string[];
}

const greeting = z.object({
  QMP: z.object({
    version: z.object({
      qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }),
      package: z.string(),
    }),
  }),
});
// `virt` is an alias of the newest version.
const named = z.array(z.object({ name: z.string(), alias: z.string().optional() }));

/** Queries a single QEMU without a machine. @throws Error if the program is not QEMU */
export async function askQemu(command: string): Promise<Asked> {
  const questions = [
    { execute: 'qmp_capabilities', id: 'capabilities' },
    { execute: 'query-machines', id: 'machines' },
    { execute: 'qom-list-types', arguments: { implements: 'device', abstract: false }, id: 'devices' },
    { execute: 'device-list-properties', arguments: { typename: 'max-arm-cpu' }, id: 'cpu' },
    { execute: 'quit', id: 'quit' },
  ];
  const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'none', '-qmp', 'stdio'];
  const output = await run(command, args, questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const messages = output.split('\n').flatMap((line) => {
    try {
      return line.trim() === '' ? [] : [JSON.parse(line) as unknown];
    } catch {
      throw new Error(`${command} does not speak QMP: it printed ${JSON.stringify(line.slice(0, 100))}`);
    }
  });
  const { version } = greeting.parse(messages[0]).QMP;
  const answerTo = (id: string): string[] => {
    const found = messages.find((message) => z.object({ id: z.literal(id) }).safeParse(message).success);
    const names = z.object({ return: named }).safeParse(found);
    return names.success
      ? names.data.return.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
      : [];
  };
  return {
    version: `${version.qemu.major}.${version.qemu.minor}.${version.qemu.micro}`,
    package: version.package,
    machines: answerTo('machines'),
    devices: answerTo('devices'),
    cpuProperties: answerTo('cpu'),
  };
}

/** A program that did not answer like QEMU. */
export class QemuFailed extends Error {
  readonly code: unknown;
  readonly said: string;

  constructor(cause: Error, said: string) {
    // The message of the cause is its command line; the program's own output is better, if it has any.
    super(said === '' ? cause.message : `it said: ${said.replaceAll(/\s*\n\s*/g, '; ')}`, { cause });
    this.code = 'code' in cause ? cause.code : undefined;
    this.said = said;
  }
}

function run(command: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: budget('probe'),
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT,
      encoding: 'utf8',
    } as const;
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new QemuFailed(error, stderr.trim()));
    });
    // If the program does not read, its exit is reported elsewhere.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
