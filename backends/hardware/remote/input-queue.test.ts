import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { InputQueue } from './input-queue.ts';

describe('InputQueue', () => {
  it('delivers everything once, whatever lines and answers are lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 })),
        fc.infiniteStream(fc.nat(3)),
        (typed, luck) => {
          const queue = new InputQueue('in');
          let host = Buffer.alloc(0);
          // As launch.sh does.
          const deliver = (line: string | undefined): void => {
            for (let sent = line; sent !== undefined; sent = queue.again()) {
              const fate = luck.next().value;
              if (fate === 0) continue;
              const [, , offset, data = ''] = sent.trim().split(' ');
              if (host.length === Number(offset)) host = Buffer.concat([host, Buffer.from(data, 'base64')]);
              if (fate !== 1) queue.acknowledge(host.length);
            }
          };
          for (const bytes of typed) {
            queue.push(bytes);
            deliver(queue.next());
          }
          expect(host.equals(Buffer.concat(typed))).toBe(true);
        },
      ),
    );
  });

  it('ignores invalid acknowledgements of a host', () => {
    const queue = new InputQueue('in');
    queue.push(Buffer.from('abc'));
    const line = queue.next();
    for (const size of [Number.NaN, -1, 2, 1e9]) queue.acknowledge(size);
    expect(queue.again()).toBe(line);
  });
});
