import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { until } from '../../unit-test/until.ts';
import { packet } from './packets.ts';
import { GdbServer } from './server.ts';
import { FakeTarget, TestClient } from './testing.ts';

let target: FakeTarget;
let server: GdbServer;
let client: TestClient;
beforeEach(async () => {
  target = new FakeTarget();
  server = await GdbServer.open(target, 0);
  client = await TestClient.connect(server.port);
});
afterEach(() => {
  client.socket.destroy();
  server.close();
});

it('answers as a debugger expects', async () => {
  expect(await client.ask('qSupported:multiprocess+;swbreak+;hwbreak+')).toMatch(
    /PacketSize=4000;QStartNoAckMode\+;.*ReverseStep\+;ReverseContinue\+;.*swbreak\+/,
  );
  const xml = await client.ask('qXfer:features:read:target.xml:0,fff');
  expect(xml).toContain('<architecture>aarch64</architecture>');
  expect(xml).toContain('<reg name="ESR_EL1" bitsize="64" regnum="1" group="system" save-restore="no"/>');
  expect(xml?.[0]).toBe('l');
  expect(await client.ask('qXfer:features:read:target.xml:0,10')).toMatch(/^m.{16}$/);
  expect(await client.ask('qXfer:features:read:other.xml:0,10')).toBe('E00');
  expect(await client.ask('qXfer:threads:read::0,fff')).toContain('<thread id="2" name="vCPU 1"/>');
  expect(await client.ask('?')).toBe('T05thread:1;');
  expect(await client.ask('qfThreadInfo')).toBe('m1,2');
  expect(await client.ask('qsThreadInfo')).toBe('l');
  expect(await client.ask('qC')).toBe('QC1');
  expect(await client.ask('qOffsets')).toBe('Text=200000;Data=200000;Bss=200000');
  expect(await client.ask('vMustReplyEmpty')).toBe('');
  expect(await client.ask('T2')).toBe('OK');
  expect(await client.ask('T3')).toBe('E01');
});

it('reads and writes registers and memory, also in binary', async () => {
  expect(await client.ask('g')).toBe('0000000000000000');
  expect(await client.ask('p1')).toBe('0101010101010101');
  expect(await client.ask('P0=0807060504030201')).toBe('OK');
  expect(await client.ask('g')).toBe('0807060504030201');
  expect(await client.ask('G1111111111111111')).toBe('OK');
  expect(await client.ask('p0')).toBe('1111111111111111');
  expect(await client.ask('p9')).toBe('E01');
  expect(await client.ask('P9=00')).toBe('E01');
  expect(await client.ask('M10,3:23247d')).toBe('OK');
  expect(await client.ask('m10,4')).toBe('23247d00');
  // The escapes of binary data are gone when a client has it.
  expect(await client.ask('x10,4')).toBe('b#$}\0');
  expect(await client.ask(Buffer.from('X20,3:a}\x03b', 'latin1'))).toBe('OK');
  expect(target.memory.toString('latin1', 0x20, 0x23)).toBe('a#b');
  expect(await client.ask('mffffffffffff,4')).toBe('E01');
  expect(await client.ask('Mffff,2:0000')).toBe('E01');
  expect(await client.ask('M0,3:00')).toBe('E01');
});

it('sets breakpoints and watchpoints, resumes, steps, goes back, and is interrupted', async () => {
  for (const [sent, did] of [
    ['Z0,1000,4', ['break', 0x1000n]],
    ['Z1,1004,4', ['break', 0x1004n]],
    ['Z2,2000,1', ['write', 0x2000n, 1]],
    ['Z3,2000,2', ['read', 0x2000n, 2]],
    ['Z4,ffffffff80000000,8', ['access', 0xffff_ffff_8000_0000n, 8]],
    ['z2,2000,1', ['unwatch', 'write', 0x2000n, 1]],
    ['z0,1000,4', ['unbreak', 0x1000n]],
  ] as const) {
    expect(await client.ask(sent)).toBe('OK');
    expect(target.did.at(-1)).toEqual(did);
  }
  for (const [sent, did] of [
    ['vCont;c', { kind: 'continue' }],
    ['c', { kind: 'continue' }],
    ['vCont;s:2;c', { kind: 'step', thread: 2 }],
    ['s', { kind: 'step', thread: 1 }],
    ['bs', { kind: 'reverse-step', thread: 1 }],
    ['bc', { kind: 'reverse-continue' }],
  ] as const) {
    target.did.length = 0;
    client.socket.write(packet(sent));
    await until(() => target.did.length > 0);
    expect(target.did).toEqual([did]);
    target.events?.stopped({ kind: 'step', thread: 1 });
    expect(await client.answer()).toBe('T05thread:1;');
  }
  client.socket.write(packet('c'));
  client.socket.write('\x03');
  expect(await client.answer()).toBe('T02thread:2;');
});

it('says why a guest stopped', async () => {
  await client.ask('qSupported:swbreak+');
  const stops = [
    [{ kind: 'breakpoint', thread: 1 }, 'T05thread:1;swbreak:;'],
    [{ kind: 'watchpoint', thread: 1, watch: 'access', address: 0x123n }, 'T05thread:1;awatch:123;'],
    [{ kind: 'history', thread: 1, end: 'begin' }, 'T05thread:1;replaylog:begin;'],
    [{ kind: 'failure', thread: 1 }, 'T06thread:1;'],
  ] as const;
  for (const [stop, reply] of stops) {
    client.socket.write(packet('c'));
    await until(() => target.did.length > 0);
    target.did.length = 0;
    target.events?.stopped(stop);
    expect(await client.answer()).toBe(reply);
  }
  client.socket.write(packet('c'));
  await until(() => target.did.length > 0);
  target.events?.ended(1);
  expect(await client.answer()).toBe('W01');
  expect(await client.next()).toBe(undefined);
  expect(target.did).not.toContain('detach');
});

it('acknowledges until it is told not to, and sends again what got lost', async () => {
  client.socket.write('$qC#00');
  expect(await client.next()).toEqual({ kind: 'nack' });
  client.socket.write(packet('qC'));
  expect(await client.next()).toEqual({ kind: 'ack' });
  expect(await client.answer()).toBe('QC1');
  client.socket.write('-');
  expect(await client.answer()).toBe('QC1');
  expect(await client.ask('QStartNoAckMode')).toBe('OK');
  client.socket.write(packet('qC'));
  expect(await client.next()).toMatchObject({ kind: 'packet' });
});

it('has commands of its own, whose words are harmless', async () => {
  const said = await client.ask(`qRcmd,${Buffer.from('state \u001b[2J').toString('hex')}`);
  expect(Buffer.from(said ?? '', 'hex').toString()).toBe('you said state \\x1b[2J\n');
  expect(await client.ask('Qqemu.PhyMemMode:1')).toBe('OK');
  expect(target.physicalMemory).toBe(true);
});

describe('the end of a session', () => {
  it.each([
    ['D', 'detach'],
    ['vKill;1', 'kill'],
    ['k', 'kill'],
  ])('by %s', async (sent, did) => {
    expect(await client.ask(sent)).toBe('OK');
    expect(target.did).toEqual([did]);
    expect(await client.next()).toBe(undefined);
  });

  it('by a lost connection lets the guest go on, and the next debugger come', async () => {
    client.socket.destroy();
    await until(() => target.did.includes('detach'));
    client = await TestClient.connect(server.port);
    expect(await client.ask('?')).toBe('T05thread:1;');
  });
});

describe('a client that means no good', () => {
  it('is alone: a second one is turned away', async () => {
    await client.ask('?');
    const second = await TestClient.connect(server.port);
    expect(await second.next()).toBe(undefined);
    expect(await client.ask('qC')).toBe('QC1');
  });

  it('is dropped for a packet without an end', async () => {
    client.socket.write(`$${'m'.repeat(100_000)}`);
    expect(await client.next()).toBe(undefined);
  });

  it('gets answers to nonsense', async () => {
    const nonsense = [
      '',
      'm',
      'mzz',
      'm0,',
      'M',
      'X',
      'Z',
      'Z9,0,0',
      'Z0',
      'P',
      'p',
      'G',
      'H',
      'T',
      'vCont;',
      'vCont;q',
    ]
      .concat([
        'qXfer:',
        'qXfer:features:read:target.xml:zz,1',
        'qRcmd,',
        'qThreadExtraInfo,9',
        'b',
        'bx',
        '\0',
        'Qx',
        'v',
      ])
      .concat(['m0,ffffffff', 'x0,ffffffff', 'm-1,1', 'Z2,0,0', 'vCont;s:99']);
    for (const text of nonsense) expect(typeof (await client.ask(text))).toBe('string');
    expect(await client.ask('qC')).toBe('QC1');
  });

  it('is not read faster than it reads', async () => {
    const asked = packet('m0,1fff');
    const many = Buffer.concat(Array.from({ length: 4000 }, () => asked));
    client.socket.pause();
    client.socket.write(many);
    await until(() => target.reads > 0);
    const second = await TestClient.connect(server.port);
    expect(await second.next()).toBe(undefined);
    // What the system buffers on the way is a few megabytes; all answers would be 64.
    expect(target.reads).toBeLessThan(2000);
    let answers = 0;
    client.socket.resume();
    while (answers < 4000) if ((await client.answer()) !== undefined) answers += 1;
    expect(answers).toBe(4000);
  });
});
