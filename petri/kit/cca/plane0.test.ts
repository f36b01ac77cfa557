import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentLink } from './agent-link.ts';
import { digestOf } from './running-digest.ts';
import { Plane0, Plane0Lost } from './plane0.ts';

/** An agent in plane 0 that is controlled by a test. */
class FakeAgent {
  readonly link = new AgentLink();
  readonly typed: string[] = [];
  lose: (why: string) => void = () => undefined;
  readonly plane0: Plane0;
  readonly #answer: (line: string, agent: FakeAgent) => void;

  constructor(answer: (line: string, agent: FakeAgent) => void) {
    this.#answer = answer;
    this.plane0 = new Plane0({
      link: this.link,
      lost: new Promise((resolve) => (this.lose = resolve)),
      log: () => undefined,
      write: (bytes) => {
        for (const line of Buffer.from(bytes).toString().split('\n').slice(0, -1)) {
          this.typed.push(line);
          this.#answer(line, this);
        }
        return Promise.resolve();
      },
    });
  }

  say(text: string): void {
    this.link.receive(Buffer.from(text));
  }

  frame(line: string, verb: string): void {
    this.say(`\n##petri ${line.split(' ')[1] ?? ''} ${verb}##\n`);
  }

  /** Sends what the real agent does: begin, output, end with the digest of `kept`. */
  output(line: string, output: string, kept = output): void {
    const bytes = Buffer.from(kept);
    this.frame(line, 'begin');
    this.say(output);
    this.frame(line, `end rc=1 bytes=${bytes.length} sha=${digestOf(bytes)}`);
  }
}

function run(agent: FakeAgent) {
  let output = '';
  const onStart = vi.fn<() => void>();
  const take = (bytes: Uint8Array): void => void (output += Buffer.from(bytes).toString());
  const end = agent.plane0.run({ file: 'tmk/x.elf', test: 'a b', take, onStart });
  return { end, onStart, output: () => output };
}

describe('plane 0', () => {
  it('runs a test, passes on its output, and verifies that all of it arrived', async () => {
    const agent = new FakeAgent((line, self) => self.output(line, 'hello\nworld'));
    const { end, onStart, output } = run(agent);
    expect(await end).toEqual({ code: 1, intact: true });
    expect(output()).toBe('hello\nworld');
    expect(onStart).toHaveBeenCalledOnce();
    expect(agent.typed).toEqual([expect.stringMatching(/^run [0-9a-f]{16} tmk\/x\.elf a\\0040b$/)]);
  });

  it('detects a missing byte, and gets everything again', async () => {
    const agent = new FakeAgent((line, self) => self.output(line, line.startsWith('run') ? 'helo' : 'hello', 'hello'));
    expect(await run(agent).end).toEqual({ code: 1, intact: false });
    expect(await agent.plane0.again()).toEqual({ code: 1, output: Buffer.from('hello') });
  });

  it('reports output that arrived damaged again', async () => {
    const agent = new FakeAgent((line, self) => self.output(line, 'helo', 'hello'));
    expect(await agent.plane0.again()).toBeUndefined();
  });

  it('rejects when the model is lost', async () => {
    const agent = new FakeAgent((line, self) => self.frame(line, 'begin'));
    const { end } = run(agent);
    agent.lose('the model was ended by SIGKILL');
    await expect(end).rejects.toThrow(Plane0Lost);
    await expect(agent.plane0.ping()).rejects.toThrow('the model was ended by SIGKILL');
  });

  it('receives a payload in pieces, each after the previous one is acknowledged', async () => {
    const content = Buffer.from('some payload of an ordinary size\n'.repeat(200));
    let sent = '';
    let lines = 0;
    let most = 0;
    const agent = new FakeAgent((line, self) => {
      const [put = ''] = self.typed;
      if (line.startsWith('put ')) self.frame(line, 'send');
      else if (line === '.') {
        const got = Buffer.from(sent, 'base64');
        self.frame(put, `stored bytes=${got.length} sha=${digestOf(got)}`);
      } else {
        sent += line;
        most = Math.max(most, ++lines);
        if (lines < 16) return;
        lines = 0;
        self.frame(put, 'got lines=16');
      }
    });
    await agent.plane0.put({ name: 'tmk/x.elf', content });
    expect(Buffer.from(sent, 'base64').equals(content)).toBe(true);
    expect(most).toBe(16);
    expect(Math.max(...agent.typed.map((line) => line.length))).toBeLessThan(100);
  });

  it('gets a damaged payload again only a limited number of times', async () => {
    const agent = new FakeAgent((line, self) => {
      if (line.startsWith('put ')) self.frame(line, 'send');
      if (line === '.')
        self.frame(self.typed.findLast((typed) => typed.startsWith('put ')) ?? '', 'stored bytes=1 sha=1');
    });
    await expect(agent.plane0.put({ name: 'x', content: Buffer.from('x') })).rejects.toMatchObject({
      code: 'backend-fault',
    });
  });

  describe('in silence', () => {
    beforeEach(() => {
      vi.stubEnv('PETRI_SLOW_FACTOR', '1');
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
    });

    afterEach(() => {
      vi.useRealTimers();
      vi.unstubAllEnvs();
    });

    it('is asked whether it still runs, and an answer means that the end frame was lost', async () => {
      const agent = new FakeAgent((line, self) => self.frame(line, line.startsWith('run') ? 'begin' : 'pong'));
      const { end } = run(agent);
      await vi.advanceTimersByTimeAsync(120_000);
      expect(await end).toEqual({ code: -1, intact: false });
    });

    it('is asked only once', async () => {
      const agent = new FakeAgent((line, self) => {
        if (line.startsWith('run')) self.frame(line, 'begin');
      });
      const { end } = run(agent);
      await vi.advanceTimersByTimeAsync(600_000);
      expect(agent.typed.map((line) => line.split(' ')[0])).toEqual(['run', 'ping']);
      agent.frame(agent.typed[0] ?? '', `end rc=0 bytes=0 sha=${digestOf(new Uint8Array())}`);
      expect(await end).toEqual({ code: 0, intact: true });
    });
  });
});
