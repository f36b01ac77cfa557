/** Longest line that is kept; a host's output may have no line ends. */
const MAX_LINE = 64 * 1024;

/** Splits output into lines. */
export function lineReader(take: (line: string) => void): (bytes: Uint8Array) => void {
  let rest = '';
  return (bytes) => {
    rest += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) take(line);
  };
}
