import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { createCpu, DRAM_OFFSET, LinearMemory } from '../../cpu/index.ts';
import { PhysicalMemory } from '../../machine/index.ts';
import { RealmFlag1, RealmParams, Rmi, rmiCommands, RmiStatus, Rmm, type RmmModel } from '../index.ts';

/** The recorded machine: its DRAM, and the instructions after which the host's timer interrupts a REC. */
const DRAM = { base: 0x8000_0000, bytes: 256 * 2 ** 20 } as const;
const SLICE = 5_000_000;

const REGISTERS = 18;
/**
 * Results that are compared: X0 to X3, and X4 of RTT_READ_ENTRY. In TF-RMM, registers without output keep their value.
 */
const RESULTS = 4;

interface Line {
  readonly section?: string;
  readonly smc?: readonly string[];
  readonly x?: readonly string[];
  readonly undo?: boolean;
  readonly write?: number;
  readonly read?: number;
  readonly bytes?: number;
  readonly data?: string;
}

/** A line of a recording that the simulated RMM answers differently. */
export interface Difference {
  /** Line number, from 1. */
  readonly line: number;
  /** The call, the answer of the real RMM, and that of the simulated one. */
  readonly text: string;
}

/** The result of one replay. */
export interface Replay {
  /** SMCs and pages that were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

export interface ReplayOptions {
  readonly model: RmmModel;
  /** Starts each section on a fresh machine. @default false */
  readonly freshSections?: boolean;
  /**
   * Realms that were recorded with an RTT tree for each plane get one tree with indirect permissions, and calls about
   * auxiliary trees are left out: the simulated RMM has no trees for each plane. @default false
   */
  readonly oneTree?: boolean;
}

/** Replays the calls of a recording in `tf-rmm/` on a simulated RMM. */
export function replay(name: string, options: ReplayOptions): Replay {
  const file = new URL(`tf-rmm/${name}.ndjson.gz`, import.meta.url);
  const player = new Player(options);
  gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split('\n')
    .forEach((text, index) => player.play(index + 1, JSON.parse(text) as Line));
  return player;
}

class Player implements Replay {
  compared = 0;
  readonly differences: Difference[] = [];
  readonly #options: ReplayOptions;
  readonly #x = new BigUint64Array(REGISTERS);
  #machine: ReturnType<typeof makeMachine>;
  /** Whether the real RMM accepted the last call and ours rejected it. */
  #refused = false;
  #last = '';

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#machine = makeMachine(options.model);
  }

  play(number: number, line: Line): void {
    const { bytes = 0, data = '' } = line;
    if (line.section !== undefined) {
      if (this.#options.freshSections === true) this.#machine = makeMachine(this.#options.model);
    } else if (line.write !== undefined) this.#write(line.write, bytes, data);
    else if (line.read !== undefined) this.#compare(number, line.read, bytes, data);
    else if (line.smc !== undefined && line.x !== undefined && !(line.undo === true && this.#refused)) {
      this.#call(number, line.smc, line.x, line.undo === true);
    }
  }

  #write(pa: number, bytes: number, data: string): void {
    const { memory, cpu } = this.#machine;
    const target = memory.bytesAt(pa, bytes);
    target.fill(0);
    target.set(Buffer.from(data, 'hex'));
    cpu.wrote(memory.offsetOf(pa), bytes);
  }

  #compare(number: number, pa: number, bytes: number, data: string): void {
    this.compared += 1;
    const real = Buffer.alloc(bytes);
    real.set(Buffer.from(data, 'hex'));
    const ours = Buffer.from(this.#machine.memory.bytesAt(pa, bytes));
    if (real.equals(ours)) return;
    const words: string[] = [];
    for (let at = 0; at < bytes; at += 8) {
      const [expected, actual] = [real.readBigUInt64LE(at), ours.readBigUInt64LE(at)];
      if (expected !== actual) {
        words.push(`+0x${at.toString(16)} 0x${expected.toString(16)}, not 0x${actual.toString(16)}`);
      }
    }
    this.differences.push({ line: number, text: `memory after ${this.#last}: ${words.slice(0, 4).join('; ')}` });
  }

  #call(number: number, registers: readonly string[], recorded: readonly string[], undo: boolean): void {
    const args = registers.map((value) => BigInt(`0x${value}`));
    const command = rmiCommands.find(Number(args[0]))?.name ?? '';
    if (this.#options.oneTree === true) {
      if (command.startsWith('RTT_AUX_')) return;
      if (command === 'REALM_CREATE') this.#giveOneTree(Number(args[2]));
    }
    const real = recorded.map((value) => BigInt(`0x${value}`));
    const ours = this.#smc(args);
    this.compared += 1;
    this.#last = `${command || 'function'}(${registers.slice(command === '' ? 0 : 1).join(', ')})`;
    if (!undo) this.#refused = real[0] === 0n && ours[0] !== 0n;
    const results = command === 'RTT_READ_ENTRY' ? RESULTS + 1 : RESULTS;
    const wrong = ours.slice(0, results).some((value, n) => value !== real[n]);
    if (!wrong) return;
    const show = (values: readonly bigint[]): string =>
      values
        .slice(0, results)
        .map((value) => `0x${value.toString(16)}`)
        .join(' ');
    this.differences.push({ line: number, text: `${this.#last}: ${show(real)}, not ${show(ours)}` });
    // Undo what only ours accepted, since later lines do not expect it.
    if (command === 'REALM_CREATE' && Number(ours[0]) === RmiStatus.Success && args[1] !== undefined) {
      this.#smc([BigInt(Rmi.REALM_DESTROY), args[1]]);
    }
  }

  #smc(args: readonly bigint[]): readonly bigint[] {
    this.#x.fill(0n);
    this.#x.set(args);
    this.#machine.rmm.rmi(this.#x);
    return [...this.#x];
  }

  #giveOneTree(params: number): void {
    const { memory } = this.#machine;
    const flags = memory.bytesAt(params, 4096).subarray(RealmParams.flags1, RealmParams.flags1 + 1);
    if (flags[0] === RealmFlag1.rttTreePerPlane) flags[0] = RealmFlag1.s2apIndirect;
  }
}

function makeMachine(model: RmmModel) {
  const linear = new LinearMemory(DRAM_OFFSET + DRAM.bytes);
  const cpu = createCpu(linear);
  const memory = new PhysicalMemory(linear, DRAM_OFFSET, DRAM.bytes, DRAM.base);
  const rmm = new Rmm({ memory, cpu, model });
  rmm.interruptAfter(SLICE);
  return { memory, cpu, rmm };
}
