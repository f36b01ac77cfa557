import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { launchVm } from './launch.ts';
import { namedTmk, scriptedBackend, specFor } from './testing.ts';

const HOUR = 3_600_000;

/** A promise, and what resolves it. */
function gate(): [Promise<void>, () => void] {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return [promise, () => open()];
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'petri-turn-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

it('gives a payload its time from its own start, however long its VM waited for its turn', async () => {
  const scripted = scriptedBackend(() => undefined);
  const [turn, comeToTurn] = gate();
  const backend = {
    ...scripted,
    // A queue for machines.
    launch: async (...parameters: Parameters<typeof scripted.launch>) => {
      await turn;
      return await scripted.launch(...parameters);
    },
  };
  const launching = launchVm(backend, specFor(namedTmk('silent')), { directory, features: [], runLimit: 5000 });
  await vi.advanceTimersByTimeAsync(HOUR);
  comeToTurn();
  const vm = await launching;
  // Its test does something else meanwhile.
  await vi.advanceTimersByTimeAsync(HOUR);
  await vm.start();
  await vi.advanceTimersByTimeAsync(4999);
  expect(vm.haltReason).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(await vm.halted).toMatchObject({ reason: 'timeout', message: 'its payload had to end within 5.0 s' });
  await vm.dispose();
});

it('gives the time-outs of waits to the guest, where its backend counts what that does', async () => {
  const due: { milliseconds: number; callback: () => void }[] = [];
  const scripted = scriptedBackend(() => undefined);
  const backend = {
    ...scripted,
    launch: async (...parameters: Parameters<typeof scripted.launch>) => ({
      ...(await scripted.launch(...parameters)),
      guestTimer: (milliseconds: number, callback: () => void) => {
        due.push({ milliseconds, callback });
        return { refresh: () => undefined, cancel: () => undefined };
      },
    }),
  };
  const vm = await launchVm(backend, specFor(namedTmk('silent')), { directory, features: [] });
  let settled = false;
  const failed = vm.serial.waitFor('never', { timeout: 1000 }).catch((error: unknown) => {
    settled = true;
    return error;
  });
  await vi.advanceTimersByTimeAsync(HOUR);
  expect(settled).toBe(false);
  expect(due.map(({ milliseconds }) => milliseconds)).toEqual([1000]);
  due[0]?.callback();
  expect(String(await failed)).toContain('did not print the text "never" within 1.0 s of the time of its guest');
  await vm.dispose();
});
