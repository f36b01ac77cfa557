import { createServer } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Supervisor } from '../../../petri/kit/process/index.ts';
import { SerialConsole } from '../../../petri/serial/index.ts';
import { openConsoles } from './open-consoles.ts';

function context() {
  const consoles = new Map<string, SerialConsole>();
  const logged: string[] = [];
  return {
    consoles,
    logged,
    logDirectory: '/',
    signal: new AbortController().signal,
    onEnd: () => undefined,
    openConsole: (name: string, input?: (bytes: Uint8Array) => void) => {
      const console = new SerialConsole({ name, ...(input === undefined ? {} : { input }) });
      consoles.set(name, console);
      return console;
    },
    log: (line: string) => logged.push(line),
  };
}

describe('openConsoles', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'consoles-'));
    vi.stubEnv('PETRI_STATE_DIR', folder);
  });
  afterEach(async () => {
    await Supervisor.current()?.close();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('connects a port of a console server, both ways', async () => {
    const server = createServer((socket) => {
      socket.write('login: ');
      socket.on('data', (bytes) => socket.write(`you typed ${bytes.toString()}`));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const lab = context();
    const open = await openConsoles([{ kind: 'tcp', name: 'uart', address: '127.0.0.1', port }], lab);
    const uart = lab.consoles.get('uart');
    await uart?.waitFor('login: ');
    await uart?.sendLine('root');
    await expect.poll(() => Buffer.from(uart?.raw ?? []).toString()).toBe('login: you typed root\r');
    await open.end();
    expect(uart?.closeReason).toBeDefined();
    server.close();
  });

  it('gives a local command a terminal, byte for byte, and ends it with the VM', async () => {
    const lab = context();
    const end = ['sh', '-c', `echo ended >${join(folder, 'ended')}`];
    const script = 'stty raw -echo; printf "\\377\\000 ready"; tty; exec cat';
    const open = await openConsoles(
      [{ kind: 'command', name: 'sol', argv: ['sh', '-c', script], end, lineEnding: 'lf' }],
      lab,
    );
    const sol = lab.consoles.get('sol');
    await sol?.waitFor('/dev/pts/');
    expect([...(sol?.raw.subarray(0, 2) ?? [])]).toEqual([0xff, 0]);
    await sol?.write(Uint8Array.of(0xc3, 0x28, 0x0a));
    await expect.poll(() => [...(sol?.raw.subarray(-3) ?? [])]).toEqual([0xc3, 0x28, 0x0a]);
    await sol?.sendLine('x');
    await expect.poll(() => [...(sol?.raw.subarray(-2) ?? [])]).toEqual([0x78, 0x0a]);
    await open.end();
    expect(sol?.closeReason).toMatch(/^sh (was ended|exited)/);
    const { existsSync } = await import('node:fs');
    expect(existsSync(join(folder, 'ended'))).toBe(true);
  });

  it('closes its other connections if one console does not answer', async () => {
    const lab = context();
    const sources = [
      { kind: 'command' as const, name: 'first', argv: ['sleep', '4321'] },
      { kind: 'tcp' as const, name: 'second', address: '127.0.0.1', port: 1 },
    ];
    await expect(openConsoles(sources, lab)).rejects.toMatchObject({ code: 'connection-failed' });
    await expect.poll(() => lab.consoles.get('first')?.closeReason).toBeDefined();
  });
});
