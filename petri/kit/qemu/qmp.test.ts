import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { QmpClient, type QmpEvent } from './qmp.ts';

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\r\n';

/** The other end of a QMP connection, controlled by a test. */
class Peer {
  readonly socket: Duplex;
  readonly received: string[] = [];
  readonly #answer: (command: { execute: string; id: number }, peer: Peer) => void;

  constructor(answer: (command: { execute: string; id: number }, peer: Peer) => void = succeed) {
    this.#answer = answer;
    this.socket = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        for (const line of chunk.toString().split('\n').filter(Boolean)) {
          const command = JSON.parse(line) as { execute: string; id: number };
          this.received.push(command.execute);
          this.#answer(command, this);
        }
        done();
      },
    });
  }

  say(text: string): void {
    this.socket.push(text);
  }
}

function succeed({ id }: { id: number }, peer: Peer): void {
  peer.say(`{"return": {}, "id": ${id}}\r\n`);
}

async function connect(peer: Peer, options: { timeout?: number; onEvent?: (event: QmpEvent) => void } = {}) {
  peer.say(GREETING);
  return await QmpClient.open(peer.socket, options);
}

describe('QmpClient', () => {
  it('negotiates, and reports the version of QEMU', async () => {
    const peer = new Peer();
    const qmp = await connect(peer);
    expect(qmp.version).toBe('7.2.22');
    expect(peer.received).toEqual(['qmp_capabilities']);
  });

  it('matches answers by their ids, in any order and any chunks', async () => {
    const ids: number[] = [];
    const peer = new Peer((command, self) => {
      if (command.execute === 'qmp_capabilities') succeed(command, self);
      else ids.push(command.id);
    });
    const qmp = await connect(peer);
    const first = qmp.execute('first');
    const second = qmp.execute('second');
    peer.say(`{"return": "b", "id": ${ids[1]}}\n{"ret`);
    peer.say(`urn": "a", "id": ${ids[0]}}\n`);
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  it('passes events on, also between answers', async () => {
    const events: string[] = [];
    const peer = new Peer((command, self) => {
      self.say('{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}\n');
      succeed(command, self);
    });
    const qmp = await connect(peer, { onEvent: ({ event }) => events.push(event) });
    await qmp.execute('stop');
    expect(events).toEqual(['STOP', 'STOP']);
  });

  it('reports what QEMU refused, and why', async () => {
    const peer = new Peer((command, self) => {
      if (command.execute === 'qmp_capabilities') succeed(command, self);
      else self.say(`{"error": {"class": "GenericError", "desc": "no such thing"}, "id": ${command.id}}\n`);
    });
    const qmp = await connect(peer);
    await expect(qmp.execute('nonsense')).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringContaining('QEMU refused nonsense: no such thing') as string,
    });
  });

  it.each([
    ['nothing', ''],
    ['something else', 'SSH-2.0-OpenSSH_9.2\n'],
    ['JSON of another kind', '{"QMP": {"version": "7"}}\n'],
  ])('does not wait forever for a peer that sends %s', async (_, words) => {
    const peer = new Peer();
    peer.say(words);
    await expect(QmpClient.open(peer.socket, { timeout: 50 })).rejects.toMatchObject({ code: 'backend-fault' });
  });

  it('does not wait forever for an answer, and ignores one that is late', async () => {
    const ids: number[] = [];
    const peer = new Peer((command, self) => {
      ids.push(command.id);
      if (command.execute !== 'silence') succeed(command, self);
    });
    const qmp = await connect(peer, { timeout: 50 });
    await expect(qmp.execute('silence')).rejects.toThrow('did not answer silence within 0.05 s');
    peer.say(`{"return": {}, "id": ${ids[1]}}\n`);
    await expect(qmp.execute('query-status')).resolves.toEqual({});
  });

  it.each([
    ['garbage', '\u0000\u0001garbage\n'],
    ['an answer without an id', '{"return": {}}\n'],
    ['a list', '[1, 2]\n'],
    ['a message without an end', 'x'.repeat(5 * 2 ** 20)],
  ])('ends the connection on %s, and pending commands fail', async (_, words) => {
    const peer = new Peer((command, self) => {
      if (command.execute === 'qmp_capabilities') succeed(command, self);
      else self.say(words);
    });
    const qmp = await connect(peer);
    await expect(qmp.execute('stop')).rejects.toMatchObject({ code: 'backend-fault' });
    expect(await qmp.closed).toContain('QEMU sent');
    await expect(qmp.execute('cont')).rejects.toMatchObject({ code: 'backend-fault' });
  });

  it('fails pending commands when QEMU ends', async () => {
    const peer = new Peer((command, self) => {
      if (command.execute === 'qmp_capabilities') succeed(command, self);
      else self.socket.destroy();
    });
    const qmp = await connect(peer);
    await expect(qmp.execute('quit')).rejects.toThrow('quit was not answered: QEMU closed the connection');
  });

  it('can be ended twice', async () => {
    const peer = new Peer();
    const qmp = await connect(peer);
    const closed = once(peer.socket, 'close');
    qmp.end();
    qmp.end();
    await closed;
    expect(await qmp.closed).toBe('it was ended');
  });
});
