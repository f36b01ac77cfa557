import { describe, expect, it } from 'vitest';
import { Turnstile } from './turnstile.ts';

const { signal } = new AbortController();
const ignore = (): void => undefined;

describe('the turnstile', () => {
  it('lets one through at a time, in order', async () => {
    const turnstile = new Turnstile('the model');
    const order: string[] = [];
    let inside = 0;
    await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (who) => {
        const leave = await turnstile.enter(who, signal, ignore);
        expect(++inside).toBe(1);
        await Promise.resolve();
        order.push(who);
        inside -= 1;
        leave();
        leave();
      }),
    );
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('reports who is in front', async () => {
    const turnstile = new Turnstile('the model');
    const said: string[] = [];
    const leave = await turnstile.enter('first', signal, (why) => said.push(why));
    const second = turnstile.enter('second', signal, (why) => said.push(why));
    const third = turnstile.enter('third', signal, (why) => said.push(why));
    expect(said).toEqual(["'first' is using the model", "'first' is using the model, and 1 more wait before this"]);
    leave();
    (await second)();
    (await third)();
  });

  it('drops a waiter that aborts, and admits the next', async () => {
    const turnstile = new Turnstile('the model');
    const leave = await turnstile.enter('first', signal, ignore);
    const impatient = new AbortController();
    const second = turnstile.enter('second', impatient.signal, ignore);
    const third = turnstile.enter('third', signal, ignore);
    impatient.abort(new Error('no more time'));
    await expect(second).rejects.toThrow('no more time');
    leave();
    (await third)();
    await expect(turnstile.enter('fourth', impatient.signal, ignore)).rejects.toThrow('no more time');
  });
});
