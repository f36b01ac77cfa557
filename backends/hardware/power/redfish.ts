import * as z from 'zod';

import type { PowerAction } from '../../../petri/backend.ts';
import type { PowerConfig } from '../hosts/schema.ts';
import { failed } from './failed.ts';

type RedfishConfig = PowerConfig & { readonly kind: 'redfish' };

/** ResetType of the Redfish schema ComputerSystem. */
const RESET_TYPES = { on: 'On', off: 'ForceOff', cycle: 'PowerCycle' } as const;
const MAX_BODY = 1024 * 1024;
const system = z.object({ PowerState: z.string().max(100) });

/** DMTF DSP0266: actions are posted, states are read. */
export async function redfish(
  name: string,
  config: RedfishConfig,
  password: string,
  action: PowerAction,
): Promise<string> {
  const base = `${config.url.replace(/\/+$/, '')}/redfish/v1/Systems/${encodeURIComponent(config.system)}`;
  if (action === 'status') {
    const text = await request(name, config, password, base);
    const parsed = system.safeParse(parseJson(text));
    if (parsed.success) return `Power is ${parsed.data.PowerState}`;
    throw failed(name, 'its BMC answers without a PowerState', `look at ${base}`);
  }
  const body = JSON.stringify({ ResetType: RESET_TYPES[action] });
  await request(name, config, password, `${base}/Actions/ComputerSystem.Reset`, body);
  return `${RESET_TYPES[action]} was asked for`;
}

async function request(
  name: string,
  { user, timeout }: RedfishConfig,
  password: string,
  url: string,
  body?: string,
): Promise<string> {
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeout * 1000),
      // Another address is not to be given the password.
      redirect: 'error',
    });
    text = await bounded(answer);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw failed(
      name,
      `${url}: ${String(error)}${cause}`,
      'look whether the BMC is reached; for its own certificate set NODE_EXTRA_CA_CERTS',
    );
  }
  if (!answer.ok)
    throw failed(name, `${url} answers ${String(answer.status)}`, 'look at user, system and what its BMC allows');
  return text;
}

async function bounded(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MAX_BODY) throw new Error(`more than ${String(MAX_BODY)} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
