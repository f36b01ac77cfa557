import { createServer, type Server } from 'node:http';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PetriError } from '../../../petri/errors.ts';
import { hazardsIn } from '../../../petri/text/testing.ts';
import { switchBoard } from './power.ts';

interface Reply {
  readonly status?: number;
  readonly location?: string;
  readonly body?: unknown;
}

/** A stand-in for a BMC: answers as a test specifies, and has the state of one system. */
class Bmc {
  readonly requests: string[] = [];
  power: string | undefined = 'On';
  /** Of ComputerSystem.Reset. */
  action: Record<string, unknown> | undefined;
  /** Replaces the answer about the system, if it returns one. */
  special: (method: string, url: string, body: string) => Reply | undefined = () => undefined;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        const [method, url] = [String(request.method), String(request.url)];
        this.requests.push(`${method} ${url}${body === '' ? '' : ` ${body}`}`);
        const known = request.headers.authorization === `Basic ${Buffer.from('admin:s3cret').toString('base64')}`;
        const reply = known ? (this.special(method, url, body) ?? this.#answer(method, body)) : { status: 401 };
        response.writeHead(reply.status ?? 200, reply.location === undefined ? {} : { location: reply.location });
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}));
      });
    });
  }

  #answer(method: string, body: string): Reply {
    if (method === 'GET') {
      const actions = this.action === undefined ? {} : { Actions: { '#ComputerSystem.Reset': this.action } };
      return { body: { PowerState: this.power, ...actions } };
    }
    const { ResetType: type } = JSON.parse(body) as { readonly ResetType: string };
    this.power = type === 'ForceOff' ? 'Off' : 'On';
    return { status: 204 };
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
  }

  get resets(): string[] {
    return this.requests.flatMap((line) => /"ResetType":"(\w+)"/.exec(line)?.[1] ?? []);
  }

  close(): void {
    this.#server.close();
  }
}

const SYSTEM = '/redfish/v1/Systems/S1';

describe('redfish', () => {
  let bmc: Bmc;
  let url: string;

  beforeEach(async () => {
    vi.stubEnv('BMC_PASSWORD', 's3cret');
    bmc = new Bmc();
    url = await bmc.listen();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    bmc.close();
  });

  const ask = async (action: 'on' | 'off' | 'cycle' | 'status'): Promise<string> => {
    const config = { kind: 'redfish' as const, url, system: 'S1', user: 'admin', passwordEnv: 'BMC_PASSWORD' };
    return await switchBoard('board', { ...config, timeout: 600 }, action);
  };
  const failure = async (action: 'on' | 'off' | 'cycle' | 'status'): Promise<PetriError> =>
    await ask(action).then(
      () => new PetriError('it worked', { code: 'power-failed', step: 'run' }),
      (error: unknown) => error as PetriError,
    );

  it('reads the state, and posts the standard action if the BMC lists none', async () => {
    expect(await ask('status')).toBe('Power is On');
    expect(await ask('cycle')).toBe('PowerCycle was asked for');
    expect(bmc.requests.at(-1)).toBe(`POST ${SYSTEM}/Actions/ComputerSystem.Reset {"ResetType":"PowerCycle"}`);
    vi.stubEnv('BMC_PASSWORD', 'wrong');
    await expect(ask('on')).rejects.toThrow(/answers 401/);
  });

  it('does nothing if the state is right, before a request and after a refusal', async () => {
    expect(await ask('on')).toBe('Power is On already');
    bmc.power = 'Off';
    expect(await ask('off')).toBe('Power is Off already');
    expect(bmc.resets).toEqual([]);
    bmc.special = (method) => {
      if (method === 'GET') return undefined;
      bmc.power = 'On';
      return { status: 409, body: { error: { '@Message.ExtendedInfo': [{ Message: 'Already powered ON.' }] } } };
    };
    expect(await ask('on')).toBe('Power is On already');
  });

  it('requests what the BMC lists with the action', async () => {
    bmc.action = { target: '/elsewhere/reset', 'ResetType@Redfish.AllowableValues': ['ForceOn', 'ForceOff', 'Nmi'] };
    bmc.power = 'Off';
    expect(await ask('on')).toBe('ForceOn was asked for');
    expect(bmc.requests.at(-1)).toBe('POST /elsewhere/reset {"ResetType":"ForceOn"}');
    expect(await ask('cycle')).toBe('ForceOff was asked for\nForceOn was asked for');
    expect(bmc.resets).toEqual(['ForceOn', 'ForceOff', 'ForceOn']);
  });

  it('requests what the BMC lists in a separate resource', async () => {
    bmc.action = { target: `${SYSTEM}/Actions/ComputerSystem.Reset`, '@Redfish.ActionInfo': `${SYSTEM}/ResetInfo` };
    const values = ['On', 'GracefulShutdown'];
    bmc.special = (_method, path) =>
      path.endsWith('ResetInfo')
        ? { body: { Parameters: [{ Name: 'ResetType', AllowableValues: values }] } }
        : undefined;
    expect(await ask('off')).toBe('GracefulShutdown was asked for');
    values.splice(0, 2, 'ForceOff', 'Nmi');
    const { message } = await failure('cycle');
    expect(message).toContain('does not offer that: it has ForceOff, Nmi');
    // It could not have been switched on again.
    expect(bmc.resets).toEqual(['GracefulShutdown']);
  });

  it('switches off and on without a list and PowerCycle, and only on if it is off', async () => {
    bmc.special = (_method, _path, body) => (body.includes('PowerCycle') ? { status: 400 } : undefined);
    await ask('cycle');
    expect(bmc.resets).toEqual(['PowerCycle', 'ForceOff', 'On']);
    bmc.power = 'Off';
    expect(await ask('cycle')).toBe('On was asked for');
  });

  it.each([301, 307, 308])('follows %i to the same path with a slash, body and all', async (status) => {
    bmc.power = 'Off';
    bmc.special = (_method, path) => (path.endsWith('/') ? undefined : { status, location: `${path}/` });
    expect(await ask('status')).toBe('Power is Off');
    expect(await ask('on')).toBe('On was asked for');
    expect(bmc.requests.at(-1)).toBe(`POST ${SYSTEM}/Actions/ComputerSystem.Reset/ {"ResetType":"On"}`);
  });

  it('sends the password to no other host, and ends redirect loops', async () => {
    const other = new Bmc();
    const elsewhere = await other.listen();
    try {
      bmc.special = () => ({ status: 308, location: `${elsewhere}${SYSTEM}` });
      expect((await failure('status')).message).toContain(`points to ${elsewhere}${SYSTEM}, which is not given`);
      bmc.special = () => undefined;
      bmc.power = 'Off';
      bmc.action = { target: `${elsewhere}/reset` };
      expect((await failure('on')).message).toContain(`points to ${elsewhere}/reset, which is not given`);
      bmc.action = { '@Redfish.ActionInfo': `${elsewhere}/info` };
      expect((await failure('on')).message).toContain(`points to ${elsewhere}/info, which is not given`);
      expect(other.requests).toEqual([]);
    } finally {
      other.close();
    }
    bmc.special = (_method, path) => ({ status: 307, location: path });
    expect((await failure('status')).message).toContain('redirects more than 5 times');
  });

  it("shows the BMC's own message, without the password and without control characters", async () => {
    const said = ['The value is \u001B[2J not acceptable\n::error::x', 'password s3cret', 'three', 'four'];
    bmc.special = (method) =>
      method === 'GET'
        ? undefined
        : {
            status: 400,
            body: {
              error: { message: 'See ExtendedInfo', '@Message.ExtendedInfo': said.map((Message) => ({ Message })) },
            },
          };
    const { message } = await failure('off');
    expect(message).toContain(
      String.raw`answers 400: The value is \x1b[2J not acceptable\n::error::x password *** three`,
    );
    expect(message).not.toContain('four');
    expect(hazardsIn(message)).toEqual([]);
    bmc.special = () => ({ status: 503, body: { '@Message.ExtendedInfo': [{ Message: 'Busy.' }] } });
    expect((await failure('status')).message).toContain('answers 503: Busy.');
  });

  it.each([
    [''],
    ['[]'],
    ['<html>'],
    [{ PowerState: 7 }],
    [{ PowerState: 'On', Actions: 3 }],
    [{ Actions: { '#ComputerSystem.Reset': { target: 5 } } }],
  ])('survives the answer %j', async (body) => {
    bmc.special = () => ({ body });
    for (const action of ['status', 'on', 'off', 'cycle'] as const) {
      await ask(action).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'power-failed' });
      });
    }
  });
});
