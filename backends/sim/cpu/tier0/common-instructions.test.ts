import { expect, it } from 'vitest';

import { tmk } from '../../../../petri/payload/index.ts';
import { decode } from '../isa/decoder.ts';
import { HandlerLibrary } from './handlers.ts';
import { branchForm } from './operands.ts';

const PAGE = 4096;

/** The words reached from an address by falling through and by direct branches, by address. */
function reached(payload: ReturnType<typeof tmk>, entry: number): Map<number, number> {
  const words = new Map<number, number>();
  const work = [entry];
  for (let start = work.pop(); start !== undefined; start = work.pop()) {
    for (let va = start; !words.has(va); va += 4) {
      const segment = payload.image.segments.find(({ vaddr, data }) => va >= vaddr && va < vaddr + data.length);
      if (segment === undefined) break;
      const { buffer, byteOffset } = segment.data;
      const word = new DataView(buffer, byteOffset).getUint32(va - segment.vaddr, true);
      const instruction = decode(word, va);
      if (instruction === undefined) break;
      words.set(va, word);
      const { target } = instruction.decoded;
      if (target !== undefined) work.push(target);
      if (instruction.row.definition.flow === 'never') break;
    }
  }
  return words;
}

// Each missing form makes the first VM of a process compile another module, which takes milliseconds.
it('has every form of instruction from the entry of a prebuilt TMK to its first message', () => {
  const payload = tmk('hello');
  const library = new HandlerLibrary();
  const words = reached(payload, payload.image.entry);
  const missing: string[] = [];
  for (const [va, word] of words) {
    const { pending } = library;
    const { row, decoded } = decode(word, va) ?? expect.fail('it was decoded before');
    library.idOf(row, decoded.variant ?? [], branchForm(decoded, va - (va % PAGE)));
    if (library.pending > pending) missing.push(`${row.definition.name}: 0x${word.toString(16)}`);
  }
  expect(words.size).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
