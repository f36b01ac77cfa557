import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AgentClient } from './agent-client.ts';

const NONCE = '0123456789abcdef';

interface Command {
  readonly id: string;
  readonly text: string;
}

/** A guest whose agent is a function. */
function guest(answer: (command: Command, say: (text: string) => void) => void): { client: AgentClient; port: Duplex } {
  const port: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      const [verb, id = '', , , text = ''] = chunk.toString().trim().split(' ');
      const say = (words: string): void => void port.push(words);
      if (verb === 'exec') answer({ id, text: Buffer.from(text, 'base64').toString() }, say);
      done();
    },
  });
  return { client: new AgentClient(port, NONCE), port };
}

const ready = `\n##petri ${NONCE} ready##\r\n`;

function output(id: string, stdout: string, stderr = ''): string {
  const lines = (mark: string, text: string): string =>
    text === '' ? '' : `${mark} ${Buffer.from(text).toString('base64')}\n`;
  const sizes = `stdout=${Buffer.byteLength(stdout)} stderr=${Buffer.byteLength(stderr)}`;
  return `##petri ${id} begin##\n${lines('o', stdout)}${lines('e', stderr)}##petri ${id} end rc=3 ${sizes}##\n`;
}

describe('AgentClient', () => {
  it('waits for the agent, and returns the output of a command and its exit code', async () => {
    const { client, port } = guest(({ id, text }, say) => say(output(id, `ran ${text}`, 'oops')));
    const result = client.exec('true');
    port.push('noise of the boot\n');
    port.push(ready.slice(0, 5));
    port.push(ready.slice(5));
    expect(await result).toEqual({ stdout: 'ran true', stderr: 'oops', exitCode: 3 });
  });

  it('accepts only frames with the number of the request', async () => {
    const { client, port } = guest(({ id }, say) => {
      say(output('0000000000000000', 'forged'));
      say(output(id, 'real'));
      say(output(id, 'too late'));
    });
    port.push(ready);
    expect(await client.exec('a')).toMatchObject({ stdout: 'real' });
    expect(await client.exec('b')).toMatchObject({ stdout: 'real' });
  });

  it.each([
    ['lost output', (id: string) => `##petri ${id} begin##\n##petri ${id} end rc=0 stdout=5 stderr=0##\n`],
    ['a command that did not arrive', (id: string) => `##petri ${id} refused##\n`],
    [
      'output without bounds',
      (id: string) => `##petri ${id} begin##\n${`o ${'A'.repeat(60_000)}\n`.repeat(1200)}##petri ${id} begin##\n`,
    ],
  ])('fails for %s', async (_, words) => {
    const { client, port } = guest(({ id }, say) => say(words(id)));
    port.push(ready);
    await expect(client.exec('a')).rejects.toMatchObject({ code: 'backend-fault' });
  });

  it('ignores lines that are not frames', async () => {
    const { client, port } = guest(({ id }, say) => {
      say(`##petri ${id} end rc=x stdout=0 stderr=0##\n##petri ${id}##\n\0\xff${'x'.repeat(100_000)}\n`);
      say(output(id, 'fine'));
    });
    port.push(ready);
    expect(await client.exec('a')).toMatchObject({ stdout: 'fine' });
  });

  it('fails when the guest ends or the caller aborts', async () => {
    const { client, port } = guest(() => undefined);
    await expect(client.exec('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'wait-timeout' });
    port.push(ready);
    const given = new AbortController();
    const waiting = client.exec('b', { signal: given.signal });
    setImmediate(() => given.abort());
    await expect(waiting).rejects.toMatchObject({ code: 'wait-timeout' });
    const other = client.exec('c');
    setImmediate(() => port.destroy());
    await expect(other).rejects.toMatchObject({ code: 'vm-halted' });
    await expect(client.exec('d')).rejects.toMatchObject({ code: 'vm-halted' });
  });

  it('refuses a command that does not fit', async () => {
    const { client } = guest(() => undefined);
    await expect(client.exec('x'.repeat(5000))).rejects.toMatchObject({ code: 'invalid-option' });
  });
});
