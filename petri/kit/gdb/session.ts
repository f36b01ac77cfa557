import { harmlessText } from '../../text/index.ts';
import { escaped, PACKET_SIZE } from './packets.ts';
import { QueryAnswers } from './queries.ts';
import { hexByte, stopReply } from './stop-reply.ts';
import type { GdbEvents, GdbResume, GdbStop, GdbTarget, WatchKind } from './target.ts';

/** What a session needs of its connection. */
export interface GdbLink {
  /** Sends a packet with this data, which is escaped where it must be. */
  send(data: string | Uint8Array): void;
  /** Acknowledgements are no longer sent or expected. */
  stopAcknowledging(): void;
  /** Ends the connection after what was sent. */
  close(): void;
}

const OK = 'OK';
const ERROR = 'E01';
const watchKinds: readonly (WatchKind | undefined)[] = [undefined, undefined, 'write', 'read', 'access'];

/**
 * One debugger at one target: answers its packets (GDB manual, Remote Protocol, Packets). A packet that is not known is
 * answered with an empty one, as the protocol has it, and one that makes no sense with an error; nothing throws.
 */
export class GdbSession implements GdbEvents {
  readonly #target: GdbTarget;
  readonly #link: GdbLink;
  readonly #queries: QueryAnswers;
  /** Why the guest stands; undefined while it runs. */
  #stop: GdbStop | undefined;
  /** Whether a stop reply is owed: to a resumption or to `?`. */
  #owed = false;
  #over = false;
  /** The thread of `g`, `p`, `m` and others (`Hg`). */
  #thread: number;

  constructor(target: GdbTarget, link: GdbLink) {
    this.#target = target;
    this.#link = link;
    this.#queries = new QueryAnswers(target);
    this.#thread = target.threads[0] ?? 1;
    target.attach(this);
  }

  stopped(stop: GdbStop): void {
    this.#stop = stop;
    this.#thread = stop.thread;
    if (this.#owed) this.#reportStop(stop);
  }

  ended(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.send(`W${hexByte(code)}`);
    this.#link.close();
  }

  say(text: string): void {
    // The debugger takes output only while it waits for a stop.
    if (this.#owed && !this.#over) this.#link.send(`O${Buffer.from(harmlessText(text)).toString('hex')}`);
  }

  /** The connection is gone: a debugger that did not say good-bye leaves a guest that goes on. */
  disconnected(): void {
    if (this.#over) return;
    this.#over = true;
    this.#target.detach();
  }

  interrupt(): void {
    if (!this.#over && this.#stop === undefined) this.#target.interrupt();
  }

  /** Answers one packet. While the guest runs, only `interrupt` is expected. */
  receive(data: Buffer): void {
    if (this.#over) return;
    const text = data.toString('latin1');
    if (this.#stop === undefined && !this.#mayComeEarly(text)) return;
    const answer = this.#answer(text, data);
    if (answer !== undefined) this.#link.send(answer);
  }

  /** What a debugger asks before it has heard of a first stop. */
  #mayComeEarly(text: string): boolean {
    if (this.#owed) return text === 'k' || text.startsWith('vKill') || text.startsWith('D');
    return true;
  }

  #answer(text: string, data: Buffer): string | Uint8Array | undefined {
    const rest = text.slice(1);
    switch (text[0]) {
      case '?':
        return this.#answerStop();
      case 'q':
      case 'Q':
        return this.#query(text);
      case 'v':
        return this.#verbose(text);
      case 'H':
        return this.#selectThread(rest);
      case 'T':
        return this.#target.threads.includes(Number.parseInt(rest, 16)) ? OK : ERROR;
      case 'g':
        return this.#readGeneral();
      case 'G':
        return this.#writeGeneral(rest);
      case 'p':
        return this.#readRegister(rest);
      case 'P':
        return this.#writeRegister(rest);
      case 'm':
      case 'x':
        return this.#readMemory(rest, text[0] === 'x');
      case 'M':
        return this.#writeMemory(rest, (payload) => Buffer.from(payload, 'hex'));
      case 'X':
        return this.#writeMemory(rest, (payload) => data.subarray(data.length - payload.length));
      case 'Z':
      case 'z':
        return this.#point(text);
      case 'c':
      case 'C':
        return this.#resume({ kind: 'continue' });
      case 's':
      case 'S':
        return this.#resume({ kind: 'step', thread: this.#thread });
      case 'b':
        if (text === 'bs') return this.#resume({ kind: 'reverse-step', thread: this.#thread });
        return text === 'bc' ? this.#resume({ kind: 'reverse-continue' }) : '';
      case 'D':
        return this.#detach();
      case 'k':
        return this.#kill();
      default:
        return '';
    }
  }

  #answerStop(): string | undefined {
    if (this.#stop !== undefined) return stopReply(this.#stop, this.#queries.breakReason);
    this.#owed = true;
    return undefined;
  }

  #reportStop(stop: GdbStop): void {
    if (this.#over) return;
    this.#owed = false;
    this.#link.send(stopReply(stop, this.#queries.breakReason));
  }

  #query(text: string): string | Uint8Array | undefined {
    if (text === 'QStartNoAckMode') {
      this.#link.send(OK);
      this.#link.stopAcknowledging();
      return undefined;
    }
    if (text.startsWith('qRcmd,')) {
      void this.#monitor(Buffer.from(text.slice('qRcmd,'.length), 'hex').toString('utf8'));
      return undefined;
    }
    if (text === 'qC') return `QC${this.#thread.toString(16)}`;
    return this.#queries.answer(text);
  }

  async #monitor(command: string): Promise<void> {
    const said = this.#stop === undefined ? undefined : harmlessText(await this.#target.monitor(command.trim()));
    if (this.#over) return;
    const most = PACKET_SIZE / 2 - 1;
    if (said === undefined) this.#link.send(ERROR);
    else this.#link.send(said === '' ? OK : Buffer.from(said).subarray(0, most).toString('hex'));
  }

  #verbose(text: string): string | undefined {
    if (text === 'vCont?') return 'vCont;c;C;s;S';
    if (text.startsWith('vKill')) return this.#kill();
    if (!text.startsWith('vCont;')) return '';
    // The first action that names a thread to step is carried out; all others run with it or stand, as time slices do.
    for (const action of text.slice('vCont;'.length).split(';')) {
      const [, kind = '', thread] = /^([cCsS])[0-9a-f]*(?::(-?[0-9a-f]+))?$/i.exec(action) ?? [];
      if (kind === '') return ERROR;
      if (kind.toLowerCase() === 's') {
        const named = thread === undefined || thread.startsWith('-') ? this.#thread : Number.parseInt(thread, 16);
        if (!this.#target.threads.includes(named)) return ERROR;
        return this.#resume({ kind: 'step', thread: named });
      }
    }
    return this.#resume({ kind: 'continue' });
  }

  #resume(how: GdbResume): undefined {
    if (this.#stop === undefined) return;
    this.#stop = undefined;
    this.#owed = true;
    this.#target.resume(how);
  }

  #selectThread(rest: string): string {
    const thread = Number.parseInt(rest.slice(1), 16);
    // 0 is any thread, -1 all of them.
    if (thread <= 0) return OK;
    if (!this.#target.threads.includes(thread)) return ERROR;
    this.#thread = thread;
    return OK;
  }

  #readGeneral(): string {
    const { registers } = this.#target.features[0] ?? { registers: [] };
    return registers
      .map(({ bits }, number) => {
        const value = this.#target.readRegister(this.#thread, number);
        return value === undefined ? 'x'.repeat(bits / 4) : Buffer.from(value).toString('hex');
      })
      .join('');
  }

  #writeGeneral(hex: string): string {
    const { registers } = this.#target.features[0] ?? { registers: [] };
    let at = 0;
    for (const [number, { bits }] of registers.entries()) {
      const digits = hex.slice(at, (at += bits / 4));
      if (digits.length < bits / 4) break;
      if (!isHex(digits)) continue;
      if (!this.#target.writeRegister(this.#thread, number, Buffer.from(digits, 'hex'))) return ERROR;
    }
    return OK;
  }

  #readRegister(rest: string): string {
    const value = this.#target.readRegister(this.#thread, Number.parseInt(rest, 16));
    return value === undefined ? ERROR : Buffer.from(value).toString('hex');
  }

  #writeRegister(rest: string): string {
    const [, number = '', digits = ''] = /^([0-9a-f]+)=([0-9a-f]+)$/i.exec(rest) ?? [];
    const value = Buffer.from(digits, 'hex');
    return value.length > 0 && this.#target.writeRegister(this.#thread, Number.parseInt(number, 16), value)
      ? OK
      : ERROR;
  }

  #readMemory(rest: string, binary: boolean): string | Uint8Array {
    const range = addressAndLength(rest);
    if (range === undefined) return ERROR;
    const most = Math.min(range.length, PACKET_SIZE / 2 - 1);
    const bytes = this.#target.readMemory(this.#thread, range.address, most);
    if (bytes.length === 0 && most > 0) return ERROR;
    return binary ? Buffer.concat([Buffer.from('b'), escaped(bytes)]) : Buffer.from(bytes).toString('hex');
  }

  #writeMemory(rest: string, decode: (payload: string) => Uint8Array): string {
    const colon = rest.indexOf(':');
    const range = addressAndLength(rest.slice(0, Math.max(colon, 0)));
    if (range === undefined) return ERROR;
    const data = decode(rest.slice(colon + 1));
    if (data.length !== range.length) return ERROR;
    return range.length === 0 || this.#target.writeMemory(this.#thread, range.address, data) ? OK : ERROR;
  }

  /** Breakpoints and watchpoints: `Z type,address,kind`. Kinds of breakpoint are sizes of instructions here: 4. */
  #point(text: string): string {
    const [, type = '', where = ''] = /^[Zz]([0-4]),([0-9a-f]+,[0-9a-f]+)(?:;.*)?$/i.exec(text) ?? [];
    if (type === '') return '';
    const range = addressAndLength(where);
    if (range === undefined) return ERROR;
    const { address, length } = range;
    const insert = text.startsWith('Z');
    const kind = watchKinds[Number(type)];
    if (kind === undefined) {
      if (insert) return this.#target.insertBreakpoint(address) ? OK : ERROR;
      this.#target.removeBreakpoint(address);
      return OK;
    }
    if (insert) return length > 0 && this.#target.insertWatchpoint(kind, address, length) ? OK : ERROR;
    this.#target.removeWatchpoint(kind, address, length);
    return OK;
  }

  #detach(): undefined {
    this.#over = true;
    this.#link.send(OK);
    this.#target.detach();
    this.#link.close();
  }

  #kill(): undefined {
    this.#over = true;
    this.#link.send(OK);
    this.#target.kill();
    this.#link.close();
  }
}

function addressAndLength(text: string): { address: bigint; length: number } | undefined {
  const [, address = '', length = ''] = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
  return address === '' ? undefined : { address: BigInt(`0x${address}`), length: Number.parseInt(length, 16) };
}

function isHex(digits: string): boolean {
  return /^[0-9a-f]*$/i.test(digits);
}
