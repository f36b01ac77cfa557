import { expect, it } from 'vitest';
import { VmLife } from './vm-life.ts';

const closed = { code: 'vm-closed', message: expect.stringContaining('cannot be started again') as string };

/** A machine is what a start leaves behind. */
function lifeOf(): { life: VmLife; machines: Set<string>; ends: () => number } {
  const machines = new Set<string>();
  let ends = 0;
  const life = new VmLife(async () => {
    ends += 1;
    machines.clear();
  });
  return { life, machines, ends: () => ends };
}

it('gives what a start gives, again and again, and ends once', async () => {
  const { life, ends } = lifeOf();
  expect(await life.start(async () => 1)).toBe(1);
  await expect(life.start(() => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
  expect(await life.start(async () => 2)).toBe(2);
  expect(life.over).toBe(false);
  await Promise.all([life.kill(), life.kill()]);
  await life.kill();
  expect([ends(), life.over]).toEqual([1, true]);
});

it('is not started after its end', async () => {
  const { life, machines } = lifeOf();
  await life.kill();
  await expect(life.start(async () => machines.add('late'))).rejects.toMatchObject(closed);
  expect(machines).toEqual(new Set());
});

it('fails a start in whose middle it is ended, and gives back what that has made', async () => {
  const { life, machines } = lifeOf();
  const made: { go: () => void } = { go: () => undefined };
  const start = life.start(async () => {
    await new Promise<void>((resolve) => (made.go = resolve));
    machines.add('late');
  });
  const failed = expect(start).rejects.toMatchObject(closed);
  const killed = life.kill();
  made.go();
  await killed;
  await failed;
  expect(machines).toEqual(new Set());
});

it('waits for a start that gives up by itself when it is asked', async () => {
  const { life, ends } = lifeOf();
  const made: { go: () => void } = { go: () => undefined };
  const start = life.start(async () => {
    await new Promise<void>((resolve) => (made.go = resolve));
    life.mustLive();
    throw new Error('not reached');
  });
  const failed = expect(start).rejects.toMatchObject(closed);
  const killed = life.kill();
  made.go();
  await Promise.all([failed, killed]);
  expect(ends()).toBe(2);
});
