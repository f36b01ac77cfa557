import { createServer, type IncomingMessage } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { switchBoard } from './power.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'power-'));
  vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('switchBoard', () => {
  it('runs the commands of the hosts file, and for a cycle what there is', async () => {
    const config = { kind: 'command' as const, on: ['echo', 'now on'], off: ['echo', 'now off'], timeout: 600 };
    expect(await switchBoard('board', config, 'on')).toBe('now on');
    expect(await switchBoard('board', config, 'cycle')).toBe('now off\nnow on');
    await expect(switchBoard('board', config, 'status')).rejects.toMatchObject({ code: 'power-failed' });
  });

  it('says how a command failed, and does not wait for ever', async () => {
    const base = { kind: 'command' as const, off: ['true'], timeout: 600 };
    await expect(switchBoard('board', { ...base, on: ['sh', '-c', 'echo jammed >&2; exit 3'] }, 'on')).rejects.toThrow(
      /board cannot be switched: sh exited with code 3: jammed/,
    );
    await expect(switchBoard('board', { ...base, on: ['sleep', '1000'], timeout: 1 }, 'on')).rejects.toThrow(
      'within 1 s',
    );
  });

  it('gives ipmitool the password where nobody sees it, and shows it nowhere', async () => {
    const tool = join(folder, 'ipmitool');
    writeFileSync(tool, `#!/bin/sh\necho "$@" >${folder}/argv\necho "password is $IPMI_PASSWORD"\n`, { mode: 0o755 });
    vi.stubEnv('BMC_PASSWORD', 's3cret');
    const config = {
      kind: 'ipmi' as const,
      address: 'bmc',
      user: 'admin',
      passwordEnv: 'BMC_PASSWORD',
      command: tool,
      timeout: 600,
    };
    expect(await switchBoard('board', config, 'cycle')).toBe('password is ***');
    expect(readFileSync(join(folder, 'argv'), 'utf8')).toBe('-I lanplus -H bmc -U admin -E chassis power cycle\n');
    vi.stubEnv('BMC_PASSWORD', '');
    await expect(switchBoard('board', config, 'on')).rejects.toThrow('BMC_PASSWORD is not set');
  });

  it('speaks Redfish', async () => {
    const seen: string[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        seen.push(`${String(request.method)} ${String(request.url)} ${body}`);
        if (request.headers.authorization !== `Basic ${Buffer.from('admin:s3cret').toString('base64')}`) {
          response.writeHead(401).end();
        } else if (request.method === 'POST') response.writeHead(204).end();
        else response.end(JSON.stringify({ PowerState: 'Off' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    vi.stubEnv('BMC_PASSWORD', 's3cret');
    const url = `http://127.0.0.1:${String(port)}`;
    const config = {
      kind: 'redfish' as const,
      url,
      system: 'S1',
      user: 'admin',
      passwordEnv: 'BMC_PASSWORD',
      timeout: 600,
    };
    try {
      expect(await switchBoard('board', config, 'status')).toBe('Power is Off');
      expect(await switchBoard('board', config, 'cycle')).toBe('PowerCycle was asked for');
      expect(seen[1]).toBe('POST /redfish/v1/Systems/S1/Actions/ComputerSystem.Reset {"ResetType":"PowerCycle"}');
      vi.stubEnv('BMC_PASSWORD', 'wrong');
      await expect(switchBoard('board', config, 'on')).rejects.toThrow(/answers 401/);
    } finally {
      server.close();
    }
  });
});
