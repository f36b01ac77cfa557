import { escaped, PACKET_SIZE } from './packets.ts';
import { targetDescription } from './target-description.ts';
import type { GdbTarget } from './target.ts';

const FEATURES = [
  `PacketSize=${PACKET_SIZE.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'qXfer:threads:read+',
  'vContSupported+',
  'ReverseStep+',
  'ReverseContinue+',
  'binary-upload+',
];

/** General queries that ask what the target is (GDB manual, General Query Packets). */
export class QueryAnswers {
  /** Whether the debugger takes the reason `swbreak` of a stop. */
  breakReason = false;
  readonly #target: GdbTarget;

  constructor(target: GdbTarget) {
    this.#target = target;
  }

  /** @returns an empty answer for what is not known */
  answer(text: string): string | Uint8Array {
    const { loadOffset, threads } = this.#target;
    if (text.startsWith('qSupported')) return this.#supported(text);
    if (text.startsWith('qXfer:')) return this.#transfer(text);
    if (text.startsWith('qThreadExtraInfo,')) return this.#threadName(text);
    switch (text) {
      case 'qfThreadInfo':
        return `m${threads.map((thread) => thread.toString(16)).join(',')}`;
      case 'qsThreadInfo':
        return 'l';
      case 'qAttached':
        return '1';
      case 'qOffsets': {
        const offset = loadOffset.toString(16);
        return `Text=${offset};Data=${offset};Bss=${offset}`;
      }
      case 'qSymbol::':
        return 'OK';
      // As QEMU has it, so that `maintenance packet Qqemu.PhyMemMode:1` works here too.
      case 'qqemu.PhyMemMode':
        return this.#target.physicalMemory ? '1' : '0';
      case 'Qqemu.PhyMemMode:0':
      case 'Qqemu.PhyMemMode:1':
        this.#target.physicalMemory = text.endsWith('1');
        return 'OK';
      default:
        return '';
    }
  }

  #supported(text: string): string {
    this.breakReason = /[:;]swbreak\+(;|$)/.test(text);
    return [...FEATURES, ...(this.breakReason ? ['swbreak+', 'hwbreak+'] : [])].join(';');
  }

  #threadName(text: string): string {
    const thread = Number.parseInt(text.slice('qThreadExtraInfo,'.length), 16);
    if (!this.#target.threads.includes(thread)) return 'E01';
    return Buffer.from(this.#target.threadName(thread)).toString('hex');
  }

  #transfer(text: string): string | Uint8Array {
    const [, what = '', annex = '', from = '', length = ''] =
      /^qXfer:(features|threads):read:([^:]*):([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
    const document = this.#document(what, annex);
    if (document === undefined) return what === '' ? '' : 'E00';
    const start = Number.parseInt(from, 16);
    const end = start + Math.min(Number.parseInt(length, 16), PACKET_SIZE / 2);
    const rest = end >= document.length ? 'l' : 'm';
    return Buffer.concat([Buffer.from(rest), escaped(document.subarray(start, end))]);
  }

  #document(what: string, annex: string): Buffer | undefined {
    const { architecture, features, threads } = this.#target;
    if (what === 'features' && annex === 'target.xml') return Buffer.from(targetDescription(architecture, features));
    if (what !== 'threads' || annex !== '') return undefined;
    const list = threads.map(
      (thread) => `<thread id="${thread.toString(16)}" name="${this.#target.threadName(thread)}"/>`,
    );
    return Buffer.from(`<?xml version="1.0"?><threads>${list.join('')}</threads>`);
  }
}
