import { GRANULE_SIZE } from '../machine/index.ts';
import type { Plane0Port, Plane0Step } from '../rmm/index.ts';
import { Plane0Failure } from './rsi-client.ts';

/** One access has the host map a page; more are needed only if it unmaps the page in between. */
const ATTEMPTS = 4;

/**
 * Offset in linear memory of an IPA; has the host map the page first if necessary.
 *
 * @throws Plane0Failure if no attempt succeeds, in which case guest code would take an abort
 */
export function* locate(port: Plane0Port, ipa: number, write: boolean): Generator<Plane0Step, number, void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const offset = port.locate(ipa, write);
    if (offset >= 0) return offset;
    yield { kind: 'access', ipa, write };
  }
  throw new Plane0Failure(`plane 0 cannot ${write ? 'write' : 'read'} its memory at IPA 0x${ipa.toString(16)}`);
}

/** Writes one page of realm memory: `words`, then zeros. */
export function* writePage(
  port: Plane0Port,
  ipa: number,
  words: readonly (readonly [offset: number, value: bigint])[],
): Generator<Plane0Step, void, void> {
  const offset = yield* locate(port, ipa, true);
  port.linear.u8.fill(0, offset, offset + GRANULE_SIZE);
  for (const [at, value] of words) port.linear.view.setBigUint64(offset + at, value, true);
  port.wrote(offset, GRANULE_SIZE);
}
