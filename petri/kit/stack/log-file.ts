import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 30;
const TAIL_COLUMNS = 400;

/** Starts a log; that of the previous run is kept as `.1`. */
export async function beginLog(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rename(path, `${path}.1`).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
}

export async function appendToLog(path: string, line: string): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await handle.write(`${line}\n`);
  } finally {
    await handle.close();
  }
}

/** The last lines of a log, without control sequences; reads only the end of the file. Empty if there is none. */
export async function logTail(path: string): Promise<string> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = stripVTControlCharacters(buffer.toString('utf8', 0, bytesRead)).split(/\r\n|[\r\n]/);
    // The first line may be incomplete.
    const whole = size > length ? lines.slice(1) : lines;
    return whole
      .filter((line) => line.trim() !== '')
      .slice(-TAIL_LINES)
      .map((line) => line.slice(0, TAIL_COLUMNS))
      .join('\n');
  } finally {
    await handle.close();
  }
}
