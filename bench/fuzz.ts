import { parseArgs } from 'node:util';

import {
  createCpu,
  DRAM_OFFSET,
  ExceptionClass,
  LinearMemory,
  Permission,
  RunExit,
  type Stage2Mapping,
} from '../backends/sim/cpu/index.ts';
import { generalDefinitions, simdAndFpDefinitions } from '../backends/sim/cpu/isa/index.ts';
import { COMMAND_SIZE, decodeCommand } from '../petri/tmk/index.ts';
import { caseCount, runAloneInFreshProcess, runSchedulesInFreshProcess } from '../backends/sim/vm/testing/schedules.ts';
import { Random } from '../backends/sim/vm/testing/random.ts';

const PAGE = 4096;
const WORDS = PAGE / 4;
const CODE = 0x1_0000;
const DATA = 0x2_0000;
const PAGES = 8;
const ALL = Permission.R | Permission.W | Permission.XEl0 | Permission.XEl1;
const CPACR_EL1 = 0xc082;
const VBAR_EL1 = 0xc600;

const usage = `npm run fuzz -- [--words N] [--commands N] [--schedules N] [--seed N]

Runs random instruction words on the engine, random blocks through the TMK command decoder, and VMs beside each other and one
after another in random schedules. Fails when anything throws, when a run does not end, when memory changes that is not the
guest's, or when a VM comes to another result than alone in a fresh process. A seed repeats a run.`;

/** Instruction words: a third any bits at all, the rest bits that some encoding matches. */
function randomWords(random: Random, target: Uint32Array): void {
  const definitions = [...generalDefinitions, ...simdAndFpDefinitions];
  for (let index = 0; index < target.length; index += 1) {
    const word = random.next();
    const encoding = definitions[random.next() % (definitions.length * 1.5)]?.encoding;
    target[index] = encoding === undefined ? word : ((word & ~encoding.mask) | encoding.value) >>> 0;
  }
}

function fuzzEngine(count: number, random: Random): Record<string, number> {
  const guestBytes = PAGES * PAGE;
  const memory = new LinearMemory(DRAM_OFFSET + 65_536 * 4);
  const guest = DRAM_OFFSET + 65_536;
  const cpu = createCpu(memory);
  const vcpu = cpu.createVcpu(0);
  const pages = new Map<number, Stage2Mapping>();
  for (let index = 0; index < PAGES; index += 1) {
    const ipa = (index < 4 ? CODE : DATA) + (index % 4) * PAGE;
    // One page of each kind cannot be written.
    const permissions = index % 4 === 3 ? ALL & ~Permission.W : ALL;
    pages.set(ipa, { offset: guest + index * PAGE, permissions, level: 3 });
  }
  const stage2 = { translate: (ipa: number) => pages.get(ipa) ?? { offset: -1, permissions: 0, level: 2 } };
  const context = vcpu.createContext(stage2);
  vcpu.activate(context);
  // What lies beside the guest must never change.
  const canary = 0xa5;
  memory.u8.fill(canary, DRAM_OFFSET, guest);
  memory.u8.fill(canary, guest + guestBytes);
  const outcomes: Record<string, number> = {};
  const words = new Uint32Array(memory.memory.buffer, guest, WORDS);
  for (let done = 0; done < count; done += WORDS) {
    context.reset(stage2);
    context.setSysreg(CPACR_EL1, 3n << 20n);
    context.setSysreg(VBAR_EL1, BigInt(CODE + 2 * PAGE));
    randomWords(random, words);
    cpu.wrote(guest, PAGE);
    for (let register = 0; register < 31; register += 1) context.setX(register, randomValue(random));
    for (let index = 0; index < WORDS && done + index < count; index += 1) {
      context.pc = BigInt(CODE + index * 4);
      const exit = vcpu.run(1 + (random.next() % 3));
      const name = exit === RunExit.Sync ? className(vcpu.exit.ec) : 'executed';
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    if (memory.u8[guest - 1] !== canary || memory.u8[guest + guestBytes] !== canary) throw new Error('a canary died');
  }
  const intact =
    memory.u8.subarray(DRAM_OFFSET, guest).every((byte) => byte === canary) &&
    memory.u8.subarray(guest + guestBytes).every((byte) => byte === canary);
  if (!intact) throw new Error('memory beside the guest changed');
  return outcomes;
}

function randomValue(random: Random): bigint {
  const kind = random.next() % 4;
  if (kind === 0) return BigInt(DATA + (random.next() % (4 * PAGE)));
  if (kind === 1) return BigInt(DATA + (random.next() % (4 * PAGE)) - (random.next() % 8) * 8) & ~15n;
  if (kind === 2) return BigInt(CODE + (random.next() % (4 * PAGE)));
  return (BigInt(random.next()) << 32n) | BigInt(random.next());
}

function className(ec: number): string {
  return Object.entries(ExceptionClass).find(([, value]) => value === ec)?.[0] ?? `EC 0x${ec.toString(16)}`;
}

function fuzzCommands(count: number, random: Random): Record<string, number> {
  const outcomes: Record<string, number> = {};
  const ram = new Uint8Array(65_536);
  for (let index = 0; index < ram.length; index += 1) ram[index] = random.next() & (index % 512 === 0 ? 0xff : 0x7f);
  const block = new Uint8Array(COMMAND_SIZE);
  const view = new DataView(block.buffer);
  const read = (address: number, length: number): Uint8Array | undefined =>
    address + length <= ram.length ? ram.subarray(address, address + length) : undefined;
  for (let done = 0; done < count; done += 1) {
    for (let at = 0; at < block.length; at += 4) view.setUint32(at, random.next(), true);
    // Most blocks get a kind that exists, and pointers and lengths that nearly fit.
    if (random.next() % 8 !== 0) view.setUint32(0, random.next() % 4, true);
    for (let at = 8; at < 40; at += 8) {
      if (random.next() % 4 !== 0)
        view.setBigUint64(at, BigInt(random.next() % (random.next() % 2 === 0 ? 256 : ram.length + 64)), true);
    }
    const { kind } = decodeCommand(block, read);
    outcomes[kind] = (outcomes[kind] ?? 0) + 1;
  }
  return outcomes;
}

function report(title: string, count: number, milliseconds: number, outcomes: Record<string, number>): void {
  console.log(`${title}: ${count.toLocaleString('en')} in ${(milliseconds / 1000).toFixed(1)} s`);
  for (const [name, times] of Object.entries(outcomes).sort((a, b) => b[1] - a[1])) {
    console.log(`  ${name.padEnd(24)} ${times.toLocaleString('en').padStart(12)}`);
  }
}

/** Schedules of one process: what machines share is most shared while a process is young. */
const SCHEDULES_PER_PROCESS = 8;

async function fuzzSchedules(count: number, random: Random): Promise<Record<string, number>> {
  const alone = [];
  for (let index = 0; index < caseCount; index += 1) alone.push(await runAloneInFreshProcess(index));
  let vms = 0;
  for (let done = 0; done < count; done += SCHEDULES_PER_PROCESS) {
    const schedules = Math.min(SCHEDULES_PER_PROCESS, count - done);
    const { differences, ended } = await runSchedulesInFreshProcess(random.next(), schedules, alone);
    vms += ended;
    if (differences.length > 0) {
      throw new Error(`a VM came to another result than alone: ${JSON.stringify(differences, undefined, 2)}`);
    }
  }
  return { 'VMs as alone': vms };
}

export async function main(...args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      words: { type: 'string', default: '10000000' },
      commands: { type: 'string', default: '100000' },
      schedules: { type: 'string', default: '1000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  console.log(`seed ${values.seed}`);
  const random = new Random(Number(values.seed));
  for (const [title, count, fuzz] of [
    ['instruction words', Number(values.words), fuzzEngine],
    ['TMK command blocks', Number(values.commands), fuzzCommands],
    ['schedules', Number(values.schedules), fuzzSchedules],
  ] as const) {
    const start = performance.now();
    const outcomes = count > 0 ? await fuzz(count, random) : {};
    report(title, count, performance.now() - start, outcomes);
  }
}
