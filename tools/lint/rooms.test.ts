import { describe, expect, it } from 'vitest';

import { faceRules, roomOf, rooms } from './rooms.js';

/** The rules that an import breaks, as dependency-cruiser reads them. */
function broken(from: string, to: string): string[] {
  return faceRules
    .filter(
      (rule) =>
        !new RegExp(rule.from.pathNot).test(from) &&
        new RegExp(rule.to.path).test(to) &&
        !rule.to.pathNot.some((path) => new RegExp(path).test(to)),
    )
    .map(({ name }) => name);
}

describe('a room', () => {
  it('is a folder with a face: of petri, a backend, a part of the simulator', () => {
    expect(rooms).toEqual(
      expect.arrayContaining([
        'petri/contract',
        'petri/kit/cca',
        'petri/kit/cca/host',
        'backends/fvp',
        'backends/sim/rmm',
      ]),
    );
    expect(rooms).not.toContain('petri');
  });

  it.each([
    ['petri/serial/match/wait.ts', 'petri/serial'],
    ['petri/kit/cca/plane0.ts', 'petri/kit/cca'],
    ['petri/kit/cca/host/realm-vm.ts', 'petri/kit/cca/host'],
    ['backends/sim/rmm/abi/rmi.ts', 'backends/sim/rmm'],
    ['petri/errors.ts', undefined],
  ])('has %s in it: %s', (file, room) => {
    expect(roomOf(file)).toBe(room);
  });
});

describe('the face of a room', () => {
  it.each([
    ['petri/vm/vm.ts', 'petri/tmk/image.ts', 'face-of-tmk'],
    ['petri/vm/vm.test.ts', 'petri/tmk/image.ts', 'face-of-tmk'],
    ['petri/index.ts', 'petri/serial/console.ts', 'face-of-serial'],
    ['petri/cli/main.ts', 'petri/vitest/backends.ts', 'face-of-vitest'],
    ['backends/qemu/launch.ts', 'petri/kit/qemu/qmp.ts', 'face-of-kit-qemu'],
    ['bench/fuzz.ts', 'petri/tmk/protocol.ts', 'face-of-tmk'],
    ['petri/kit/cca/host/realm-run.ts', 'petri/kit/cca/outcome.ts', 'face-of-kit-cca'],
    ['petri/kit/cca/outcome.ts', 'petri/kit/cca/host/realm-run.ts', 'face-of-kit-cca-host'],
  ])('is not gone past, from %s to %s', (from, to, rule) => {
    expect(broken(from, to)).toEqual([rule]);
  });

  it.each([
    ['the face', 'petri/vm/vm.ts', 'petri/tmk/index.ts'],
    ['its own files', 'petri/serial/console.ts', 'petri/serial/match/wait.ts'],
    ['what has no room', 'petri/vm/vm.ts', 'petri/errors.ts'],
    ['a test double', 'backends/sim/backend.test.ts', 'petri/vm/testing.ts'],
    ['an entry of the package', 'bench/thousand/vitest.config.ts', 'petri/vitest/config.ts'],
  ])('is not needed for %s', (_what, from, to) => {
    expect(broken(from, to)).toEqual([]);
  });
});
