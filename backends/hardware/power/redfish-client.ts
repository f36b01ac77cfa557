import * as z from 'zod';

import type { PetriError } from '../../../petri/errors.ts';
import { harmlessLine } from '../../../petri/text/index.ts';
import type { PowerConfig } from '../hosts/schema.ts';
import { failed } from './failed.ts';
import { redact } from './run-command.ts';

const MAX_BODY = 1024 * 1024;
const MAX_REDIRECTS = 5;
/** Messages of one answer that are shown, and characters of each. */
const SHOWN = { messages: 3, length: 300 };

const messages = z.array(z.object({ Message: z.string().optional().catch(undefined) })).catch([]);
/** An error response (DSP0266, 8.6); some BMCs omit the enclosing object. */
const problem = z.object({
  error: z
    .object({ message: z.string().optional().catch(undefined), '@Message.ExtendedInfo': messages.optional() })
    .optional()
    .catch(undefined),
  '@Message.ExtendedInfo': messages.optional(),
});

interface Answer {
  readonly status: number;
  /** URL after redirects. */
  readonly url: string;
  readonly json: unknown;
}

/** Requests to one BMC; the password is sent to no other host. */
export class RedfishClient {
  readonly #name: string;
  readonly #origin: string;
  readonly #timeout: number;
  readonly #password: string;
  readonly #authorization: string;

  constructor(name: string, config: PowerConfig & { readonly kind: 'redfish' }, password: string) {
    this.#name = name;
    this.#origin = new URL(config.url).origin;
    this.#timeout = config.timeout * 1000;
    this.#password = password;
    this.#authorization = `Basic ${Buffer.from(`${config.user}:${password}`).toString('base64')}`;
  }

  /** @throws PetriError `power-failed` */
  async get(url: string): Promise<Answer> {
    const answer = await this.#request('GET', url);
    if (answer.status < 300) return answer;
    throw this.#refused(answer);
  }

  /**
   * @returns the error with which the BMC refuses, in its own words @throws PetriError `power-failed` if it does not
   * answer
   */
  async post(url: string, body: object): Promise<{ readonly status: number; readonly error: PetriError } | undefined> {
    const answer = await this.#request('POST', url, JSON.stringify(body));
    return answer.status < 300 ? undefined : { status: answer.status, error: this.#refused(answer) };
  }

  async #request(method: 'GET' | 'POST', url: string, body?: string): Promise<Answer> {
    let [verb, at] = [method, url];
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      if (new URL(at).origin !== this.#origin) {
        throw failed(
          this.#name,
          `its BMC points to ${at}, which is not given the password`,
          'if that is the same BMC, give it as power.url',
        );
      }
      const { status, location, json } = await this.#send(verb, at, verb === 'POST' ? body : undefined);
      if (![301, 302, 303, 307, 308].includes(status) || location === null) return { status, url: at, json };
      // 303 refers to the result of the post (RFC 9110, 15.4.4); for the others the same request is repeated there.
      if (status === 303) verb = 'GET';
      at = URL.canParse(location, at) ? new URL(location, at).href : at;
    }
    throw failed(this.#name, `${url} redirects more than ${String(MAX_REDIRECTS)} times`, 'look at power.url');
  }

  async #send(
    method: string,
    url: string,
    body: string | undefined,
  ): Promise<{ readonly status: number; readonly location: string | null; readonly json: unknown }> {
    try {
      const answer = await fetch(url, {
        method,
        headers: {
          authorization: this.#authorization,
          accept: 'application/json',
          'odata-version': '4.0',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(this.#timeout),
        redirect: 'manual',
      });
      const json = parseJson(await bounded(answer));
      return { status: answer.status, location: answer.headers.get('location'), json };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      throw failed(
        this.#name,
        `${url}: ${String(error)}${cause}`,
        'look whether the BMC is reached; for its own certificate set NODE_EXTRA_CA_CERTS',
      );
    }
  }

  #refused({ status, url, json }: Answer): PetriError {
    const said = words(json).map((message) => harmlessLine(redact(message, [this.#password]).slice(0, SHOWN.length)));
    return failed(
      this.#name,
      `${url} answers ${String(status)}${said.length === 0 ? '' : `: ${said.join(' ')}`}`,
      status === 401 || status === 403
        ? 'look at power.user and its password, and what that user may do there'
        : 'look at power.system and what its BMC allows',
    );
  }
}

/** The readable messages of an error response. */
function words(json: unknown): string[] {
  const { data } = problem.safeParse(json);
  const extended = [...(data?.error?.['@Message.ExtendedInfo'] ?? []), ...(data?.['@Message.ExtendedInfo'] ?? [])];
  const said = extended.flatMap(({ Message }) => (Message === undefined || Message === '' ? [] : [Message]));
  // The main message is often 'See ExtendedInfo', so the others are preferred.
  const whole = data?.error?.message;
  return said.length === 0 && whole !== undefined ? [whole] : said.slice(0, SHOWN.messages);
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
