import { connect } from 'node:net';

/** Asks the model for something and waits until it has done it. @returns what it answered */
async function ask(request: object): Promise<string> {
  const socket = connect(`\0${process.env['PETRI_STAND_IN_SOCKET'] ?? ''}`);
  socket.write(`${JSON.stringify(request)}\n`);
  let answer = '';
  for await (const text of socket.setEncoding('utf8')) answer += String(text);
  return answer;
}

/** Prints lines on another UART. */
export async function print(terminal: number, lines: readonly string[]): Promise<void> {
  await ask({ kind: 'print', terminal, lines });
}

/** Tells the model how far the boot is; it does not answer where it was told to go wrong there. */
export async function reach(stage: 'realm' | 'plane0'): Promise<void> {
  await ask({ kind: 'stage', stage });
}
