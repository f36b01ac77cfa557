import { LONGEST_MATCH } from '../match/regexp-matcher.ts';
import type { TextReader } from './text-reader.ts';

export interface LineSource {
  readonly reader: TextReader;
  readonly isClosed: () => boolean;
  readonly signal: AbortSignal | undefined;
  /** Resolves when there may be more to read, or the stream was closed. */
  readonly changed: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Complete lines as they arrive, overlong ones in parts, and the unfinished last one at the end. */
export async function* splitLines(source: LineSource): AsyncGenerator<string, void, undefined> {
  let unfinished = '';
  for (;;) {
    const closed = source.isClosed();
    const piece = source.reader.read();
    if (piece === undefined && closed) break;
    if (piece === undefined) {
      await source.changed(source.signal);
      continue;
    }
    const parts = (unfinished + piece).split('\n');
    unfinished = parts.pop() ?? '';
    for (const line of parts) yield* inParts(line);
    for (; unfinished.length > LONGEST_MATCH; unfinished = unfinished.slice(LONGEST_MATCH)) {
      yield unfinished.slice(0, LONGEST_MATCH);
    }
  }
  unfinished += source.reader.finish();
  if (unfinished !== '') yield* inParts(unfinished);
}

function* inParts(line: string): Generator<string, void, undefined> {
  yield line.slice(0, LONGEST_MATCH);
  for (let at = LONGEST_MATCH; at < line.length; at += LONGEST_MATCH) yield line.slice(at, at + LONGEST_MATCH);
}
