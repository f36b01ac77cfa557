import { describe, expect, it } from 'vitest';

import { type ProbeResult, declareFeatures } from '../contract/index.ts';
import { checkedProbe } from './check-probe.ts';

const good: ProbeResult = {
  available: true,
  isolation: { cca: ['tmk', 'planes'] },
  limits: { maxMemory: 2 ** 30, maxVcpus: 1, maxPlanes: 3 },
  facts: { version: '1' },
};

async function check(result: unknown): Promise<ProbeResult> {
  return await checkedProbe('mine', { probe: async () => await Promise.resolve(result as ProbeResult) });
}

describe('the probe of a backend', () => {
  it.each<[string, ProbeResult]>([
    ['one that can run', good],
    ['one that cannot', { available: false, missing: [{ what: 'a board', remedy: 'buy one' }] }],
    [
      'one with a pace',
      { ...good, pace: { boot: 1000, factor: 2.5, parallel: 1, isolation: { cca: { boot: 0, factor: 1 } } } },
    ],
    ['one that lacks something here', { ...good, lacking: { none: [{ what: 'KVM', remedy: '' }] } }],
  ])('is accepted unchanged: %s', async (_what, result) => {
    expect(await check(result)).toBe(result);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /does not give a ProbeResult/],
    [
      'a misspelt feature',
      { ...good, isolation: { cca: ['plans'] } },
      /isolation\.cca\.0: .*'plans', did you mean 'planes'\?/,
    ],
    ['an isolation type that does not exist', { ...good, isolation: { tzz: [] } }, /isolation/],
    ['limits that are no numbers', { ...good, limits: { ...good.limits, maxMemory: '1G' } }, /limits\.maxMemory/],
    ['no limits', { ...good, limits: undefined }, /limits/],
    ['nothing missing', { available: false, missing: [] }, /missing/],
    ['facts that are no texts', { ...good, facts: { version: 1 } }, /facts\.version/],
  ])('is rejected with the location of the error: %s', async (_what, result, message) => {
    await expect(check(result)).rejects.toMatchObject({
      code: 'backend-fault',
      message: expect.stringMatching(message),
    });
  });

  it('is rejected with the error that it threw', async () => {
    const probe = async (): Promise<ProbeResult> => await Promise.reject(new Error('no bus'));
    await expect(checkedProbe('mine', { probe })).rejects.toThrow(/backend 'mine' failed: Error: no bus/);
  });

  it('may name a feature that the configuration declares', async () => {
    const result = { ...good, isolation: { cca: ['acme.trace'] } };
    await expect(check(result)).rejects.toThrow(/no feature 'acme\.trace'/);
    declareFeatures({ 'acme.trace': 'the instruction trace can be read' });
    expect(await check(result)).toBe(result);
  });
});
