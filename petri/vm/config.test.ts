import { describe, expect, it } from 'vitest';
import { PetriError } from '../errors.ts';
import { resolveVmConfig, type VmOptions } from './config.ts';

describe('resolveVmConfig', () => {
  it("fills in kvmtool's realm for OpenVMM's flow", () => {
    expect(resolveVmConfig()).toEqual({
      memory: 512 * 1024 * 1024,
      vcpus: 1,
      planes: 1,
      rmm: 'specification',
      time: 'counted',
      ipaWidth: 33,
      measurementAlgorithm: 'sha-256',
      rpv: new Uint8Array(64),
      consoleLimit: 64 * 2 ** 20,
      maxInstructions: 1_000_000_000,
    });
  });

  it.each([
    ['512M', 2 ** 29],
    ['2G', 2 ** 31],
    ['1 GiB', 2 ** 30],
    ['8192k', 2 ** 23],
    ['4194304', 2 ** 22],
    [2 ** 24, 2 ** 24],
  ])('reads memory %s', (memory, bytes) => {
    expect(resolveVmConfig({ memory }).memory).toBe(bytes);
  });

  it('widens the IPA space with memory', () => {
    expect(resolveVmConfig({ memory: '2G' }).ipaWidth).toBe(33);
    expect(resolveVmConfig({ memory: '4G' }).ipaWidth).toBe(34);
    expect(resolveVmConfig({ memory: '4G', ipaWidth: 40 }).ipaWidth).toBe(40);
  });

  it('pads the personalization value', () => {
    const { rpv } = resolveVmConfig({ rpv: 'petri' });
    expect(Buffer.from(rpv).toString('latin1')).toBe(`petri${'\0'.repeat(59)}`);
  });

  it.each<[VmOptions, string]>([
    [{ memory: '3X' }, 'memory is "3X", expected a number of bytes or a text'],
    [{ memory: 2 ** 21 + 1 }, 'memory is 2097153, expected'],
    [{ memory: '2M' }, 'from 4M to 1T'],
    [{ memory: Number.NaN }, 'memory is NaN'],
    [{ vcpus: 0 }, 'vcpus is 0, expected a whole number from 1 to 512'],
    [{ vcpus: 1.5 }, 'vcpus is 1.5'],
    [{ planes: 4 }, 'planes is 4, expected a whole number from 1 to 3'],
    [{ ipaWidth: 31 }, 'ipaWidth is 31, expected a whole number from 32 to 48'],
    [{ rpv: new Uint8Array(65) }, 'rpv is 65 bytes, expected at most 64 bytes'],
    [{ maxInstructions: 0 }, 'maxInstructions is 0'],
    [{ consoleLimit: '1K' }, 'consoleLimit is "1K", expected a number of bytes or a text such as "64M"'],
    [{ consoleLimit: Infinity }, 'consoleLimit is Infinity'],
    [{ vcpus: 0, planes: 9 }, 'vcpus is 0, expected a whole number from 1 to 512; planes is 9'],
  ])('refuses %o', (options, message) => {
    expect(() => resolveVmConfig(options)).toThrow(message);
  });

  it('refuses what it does not know, and says what there is', () => {
    const options: object = { mem: '1G' };
    expect(() => resolveVmConfig(options)).toThrow(PetriError);
    expect(() => resolveVmConfig(options)).toThrow(/no VM option 'mem'[^]*the VM options are memory, vcpus/);
  });
});
