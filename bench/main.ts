import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import pc from 'picocolors';
import * as z from 'zod';

import type { TmkPayload } from '../petri/contract/index.ts';
import { tmk } from '../petri/index.ts';
import { hello, Realms } from './realm.ts';
import { Qemu } from './qemu.ts';
import { median } from './statistics.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const usage = `npm run bench -- [--json FILE] [--quick]

Measures the simulated realm beside qemu-system-aarch64 -M virt in the same run.

  --json FILE   where the figures go (default .petri/bench.json)
  --quick       fewer repetitions`;

/** One line of the table. */
interface Row {
  readonly what: string;
  readonly unit: string;
  readonly petri: number;
  /** Absent where QEMU is missing. */
  readonly qemu?: number;
  /** How many times better than the peer, and what is asked for. */
  readonly ratio?: number;
  readonly target?: string;
  readonly met?: boolean;
}

interface Run {
  readonly qemu: Qemu | undefined;
  readonly realms: Realms;
  readonly repeat: number;
  readonly directory: string;
}

async function repeat(times: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < times; index += 1) values.push(await measure());
  return median(values);
}

/** The two columns of a row of which less is better, and how many times less. */
function faster(what: string, unit: string, petri: number, qemu: number | undefined, times?: number): Row {
  if (qemu === undefined) return { what, unit, petri };
  const ratio = qemu / petri;
  const goal = times === undefined ? {} : { target: `${times}x`, met: ratio >= times };
  return { what, unit, petri, qemu, ratio, ...goal };
}

/** Milliseconds of preparing and of the first launch in a fresh process. */
function coldLaunch(directory: string): readonly [number, number] {
  const argv = [join(root, 'bench/run.mjs'), 'cold', mkdtempSync(join(directory, 'cold-'))];
  const child = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return z.tuple([z.number(), z.number()]).parse(JSON.parse(child.stdout));
}

/** Launches after which more of them change nothing. */
const WARM_UP = 300;

async function launches({ qemu, realms, repeat: times, directory }: Run): Promise<Row[]> {
  const payload = hello();
  const { size } = statSync(payload.path);
  const peer = qemu && (await repeat(times, async () => (await qemu.run(size)).firstByte));
  const cold = Array.from({ length: times }, () => coldLaunch(directory));
  await repeat(WARM_UP, () => realms.firstByte(payload));
  const warm = await repeat(times * 20, () => realms.firstByte(payload));
  return [
    {
      what: 'loading and preparing the simulator, once a process',
      unit: 'ms',
      petri: median(cold.map(([once]) => once)),
    },
    faster('launch to first serial byte, cold process', 'ms', median(cold.map(([, byte]) => byte)), peer, 3),
    faster('launch to first serial byte, warm', 'ms', warm, peer, 30),
  ];
}

async function thousandTests({ qemu, repeat: times }: Run): Promise<Row[]> {
  const build = spawnSync(process.execPath, [join(root, 'tools/build.mjs')], { encoding: 'utf8' });
  if (build.status !== 0) throw new Error(build.stdout + build.stderr);
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const argv = ['bin/vitest.mjs', 'run', '--config', 'bench/thousand/vitest.config.ts', '--reporter=dot'];
    const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(Buffer.concat(output).toString()))));
  });
  const seconds = (performance.now() - start) / 1000;
  const { size } = statSync(hello().path);
  const boot = qemu && (await repeat(times, async () => (await qemu.run(size)).total));
  const ratio = boot === undefined ? {} : { qemu: 1000 / boot, ratio: boot / seconds };
  return [
    {
      what: '1,000 realm tests in one file, with vitest',
      unit: 's',
      petri: seconds,
      target: '< 5 s',
      met: seconds < 5,
    },
    { what: 'realm tests a second; QEMU: boots', unit: '/s', petri: 1000 / seconds, ...ratio },
  ];
}

/** Milliseconds that a realm takes for a test of a payload, from its first line on. */
async function testTime(realms: Realms, payload: TmkPayload): Promise<number> {
  const vm = await realms.launch(payload);
  await vm.serial.waitFor('running test');
  const start = performance.now();
  await vm.halted;
  const elapsed = performance.now() - start;
  await vm.dispose();
  return elapsed;
}

/** Launches after which the code of the engine is compiled well. */
const TRANSLATION_WARM_UP = 5;

async function translation({ qemu, realms, repeat: times }: Run): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [test, what] of [
    ['switches', '400 switches of ASID, 4 MiB touched after each'],
    ['maintenance', 'the same with 12,800 TLBI by address, 25 by ASID'],
  ] as const) {
    const payload = tmk('translation', { test });
    await repeat(TRANSLATION_WARM_UP, () => testTime(realms, payload));
    const petri = await repeat(times, () => testTime(realms, payload));
    const peer = qemu && (await repeat(Math.ceil(times / 2), () => qemu.behindMonitor(payload, test)));
    rows.push(faster(what, 'ms', petri, peer));
  }
  return rows;
}

async function planeExits({ qemu, realms, repeat: times }: Run): Promise<Row[]> {
  const payload = tmk('mmio', { test: 'hundred_thousand_reads' });
  const EXITS = 100_000;
  const perSecond = (milliseconds: number): number => (EXITS / milliseconds) * 1000;
  const rate = await repeat(times, async () => perSecond(await testTime(realms, payload)));
  const exits: number[] = [];
  for (let run = 0; qemu !== undefined && run < Math.ceil(times / 2); run += 1) {
    exits.push(perSecond(await qemu.behindMonitor(payload, 'hundred_thousand_reads')));
  }
  const peer = exits.length === 0 ? {} : { qemu: median(exits), ratio: rate / median(exits) };
  return [{ what: 'exits a second for MMIO reads; QEMU: to a monitor', unit: '/s', petri: rate, ...peer }];
}

async function memory({ qemu, repeat: times, directory }: Run): Promise<Row[]> {
  const each = await repeat(Math.ceil(times / 2), () => {
    const argv = ['--expose-gc', join(root, 'bench/run.mjs'), 'memory', mkdtempSync(join(directory, 'memory-'))];
    const child = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return Promise.resolve(Number(child.stdout));
  });
  const { size } = statSync(hello().path);
  const peer = await qemu?.residentBytes(size);
  const MIB = 2 ** 20;
  return [faster('resident memory of a running realm', 'MiB', each / MIB, peer === undefined ? undefined : peer / MIB)];
}

function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function print(rows: readonly Row[], qemu: Qemu | undefined): void {
  const line = (cells: readonly string[]): string =>
    [54, 5, 12, 12, 9, 9]
      .map((width, at) => (at === 0 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width)))
      .join('');
  console.log(
    pc.bold(
      line([
        '',
        'unit',
        'petri sim',
        qemu === undefined ? 'no QEMU' : `QEMU ${qemu.version}`.slice(0, 11),
        'ratio',
        'target',
      ]),
    ),
  );
  for (const { what, unit, petri, qemu: peer, ratio, target, met } of rows) {
    const mark = met === undefined ? '' : met ? pc.green('  met') : pc.red('  MISSED');
    console.log(
      line([what, unit, figure(petri), figure(peer), ratio === undefined ? '-' : `${figure(ratio)}x`, target ?? '']) +
        mark,
    );
  }
}

export async function main(...args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string', default: join(root, '.petri/bench.json') },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  mkdirSync(join(root, '.petri'), { recursive: true });
  const directory = mkdtempSync(join(root, '.petri/bench-'));
  const qemu = Qemu.find(directory);
  try {
    if (qemu === undefined)
      console.log('qemu-system-aarch64 is not installed (Debian: qemu-system-arm): no peer column');
    const run: Run = { qemu, realms: new Realms(directory), repeat: values.quick ? 3 : 10, directory };
    const rows: Row[] = [];
    for (const measure of [launches, thousandTests, planeExits, translation, memory]) {
      console.error(pc.dim(`measuring ${measure.name} ...`));
      rows.push(...(await measure(run)));
    }
    print(rows, qemu);
    const host = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, qemu: qemu?.version };
    writeFileSync(values.json, `${JSON.stringify({ host, rows }, null, 2)}\n`);
    console.log(pc.dim(`figures: ${values.json}`));
  } finally {
    await qemu?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
