import { relative } from 'node:path';

import pc from 'picocolors';

import { type TmkTest, describeHalt, type HaltReason, type PlaneExit, type Registers } from '../../contract/index.ts';
import { harmlessLine } from '../../text/index.ts';
import type { TmkResult } from '../../tmk/index.ts';

/** A test that ran, with the observations of its VM. */
export interface FinishedTest {
  readonly test: TmkTest;
  readonly result: TmkResult;
  /** Duration from launch to end. */
  readonly milliseconds: number;
  readonly instructions?: number;
  readonly planes: readonly {
    readonly index: number;
    readonly exitCount: number;
    readonly exits: readonly PlaneExit[];
  }[];
}

const INDENT = '      ';

/**
 * The verdict on one test: one line, after a failure the state of the machine, and on request the exits.
 *
 * @param withExits whether the exits of each plane are listed
 */
export function reportTest(done: FinishedTest, withExits: boolean): string {
  const { test, result } = done;
  const passed = result.verdict === 'pass';
  const mark = passed ? pc.green('ok  ') : pc.red('FAIL');
  const numbers = [
    ...(done.instructions === undefined ? [] : [`${grouped(done.instructions)} instructions`]),
    ...done.planes
      .filter((plane) => plane.exitCount > 0)
      .map((plane) => `${grouped(plane.exitCount)} exits of plane ${plane.index}`),
    `${done.milliseconds.toFixed(1)} ms`,
  ].join(', ');
  const lines = [
    `  ${mark} ${harmlessLine(test.name)}${test.expectedFailure ? pc.yellow(' (expected failure)') : ''}  ${pc.dim(numbers)}`,
  ];
  if (!passed || test.expectedFailure) lines.push(`${INDENT} ${passed ? pc.dim(result.cause) : pc.red(result.cause)}`);
  lines.push(...describeState(result.halt, passed ? 'brief' : 'full').map((line) => `${INDENT} ${pc.dim(line)}`));
  if (withExits) lines.push(...listExits(done));
  return `${lines.join('\n')}\n`;
}

export function reportSkipped(test: TmkTest, reason: string): string {
  return `  ${pc.yellow('skip')} ${harmlessLine(test.name)}  ${pc.dim(reason)}\n`;
}

export function reportSummary(
  finished: readonly FinishedTest[],
  skipped: number,
  milliseconds: number,
  directory: string,
): string {
  const failed = finished.filter(({ result }) => result.verdict === 'fail').length;
  const passed = finished.length - failed;
  const counts = [
    pc.green(`${passed} ok`),
    ...(failed > 0 ? [pc.red(`${failed} failed`)] : []),
    ...(skipped > 0 ? [pc.yellow(`${skipped} skipped`)] : []),
  ].join(', ');
  return `\n${counts} ${pc.dim(`in ${(milliseconds / 1000).toFixed(2)} s; consoles and logs: ${relative('', directory)}`)}\n`;
}

/** The exit and the registers at a halt: for a failure all registers, for an expected one only the exit. */
function describeState(halt: HaltReason, detail: 'brief' | 'full'): string[] {
  if (halt.reason !== 'fault' && halt.reason !== 'budget' && halt.reason !== 'timeout') return [];
  const exit = halt.reason === 'fault' ? halt.exit : undefined;
  const decoded = exit === undefined ? [] : [describeExit(exit)];
  if (detail === 'brief') return decoded;
  const { registers, symbol } = halt;
  const where = symbol === undefined ? [] : [`pc is in ${harmlessLine(symbol.name)}, ${symbol.offset} bytes in`];
  return [...decoded, ...where, ...(registers === undefined ? [] : describeRegisters(registers))];
}

function describeExit(exit: PlaneExit): string {
  const fields = Object.entries(exit.iss).map(([name, value]) => `${name} ${hex(BigInt(value))}`);
  return `ESR ${hex(exit.esr)} (EC ${hex(BigInt(exit.ec))}${fields.map((field) => `, ${field}`).join('')}), FAR ${hex(exit.far)}, HPFAR ${hex(exit.hpfar)}`;
}

function describeRegisters({ x, sp, pc: programCounter, pstate }: Registers): string[] {
  const cells = x.map((value, index) => `${`x${index}`.padStart(3)} ${value.toString(16).padStart(16, '0')}`);
  const rows: string[] = [];
  for (let index = 0; index < cells.length; index += 4) rows.push(cells.slice(index, index + 4).join('  '));
  rows.push(`pc ${hex(programCounter)}  sp ${hex(sp)}  pstate ${hex(pstate)}`);
  return rows;
}

function listExits({ planes, result }: FinishedTest): string[] {
  const known = planes.filter((plane) => plane.exitCount > 0);
  if (known.length === 0) return [`${INDENT} ${pc.dim(`no exits recorded (${describeHalt(result.halt)})`)}`];
  return known.flatMap(({ index, exitCount, exits }) => {
    const lines: string[] = [];
    let expected = 0;
    for (const exit of exits) {
      // The middle of a very long run is not kept.
      if (exit.index > expected) lines.push(`${INDENT}   … ${grouped(exit.index - expected)} more`);
      expected = exit.index + 1;
      lines.push(`${INDENT}   ${String(exit.index).padStart(5)}  pc ${hex(exit.pc)}  ${exit.summary}`);
    }
    return [`${INDENT} ${grouped(exitCount)} exits of plane ${index}:`, ...lines];
  });
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
