import { describePattern, type SerialConsole } from '../../serial/index.ts';
import { BootError } from './boot-error.ts';
import type { Crash } from './crash-watch.ts';
import type { BootStage, StageTime } from './stage.ts';

/** Lines of each console that are shown, and characters of each line. */
const TAIL_LINES = 12;
const LINE_WIDTH = 240;

/** What ended a boot before its last stage. */
export type BootEnd =
  | { readonly kind: 'deadline'; readonly cause: unknown }
  | { readonly kind: 'crash'; readonly crash: Crash; readonly how?: string }
  | { readonly kind: 'exited'; readonly how: string }
  | { readonly kind: 'aborted'; readonly reason: unknown };

export interface BootFacts {
  readonly end: BootEnd;
  readonly stage: BootStage;
  /** How long the stage was waited for. */
  readonly milliseconds: number;
  readonly reached: readonly StageTime[];
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  readonly factor: number;
  readonly running: string | undefined;
}

/** The error for a boot that ended early, with everything that explains why. */
export function bootError(facts: BootFacts): BootError {
  const { end, stage, running } = facts;
  const remedy = remedyFor(facts);
  const cause = end.kind === 'deadline' ? end.cause : end.kind === 'aborted' ? end.reason : undefined;
  return new BootError(headline(facts), {
    stage: stage.name,
    kind: end.kind,
    details: [
      ...(end.kind === 'crash' ? [`console '${end.crash.console}' has: ${end.crash.line.slice(0, LINE_WIDTH)}`] : []),
      `waited for ${describePattern(stage.marker)} on console '${stage.console}'`,
      reachedBefore(facts.reached),
      ...(running === undefined ? [] : [running]),
      ...logs(facts.consoles),
    ],
    transcriptTail: tails(facts.consoles),
    ...(remedy === undefined ? {} : { remedy }),
    ...(cause === undefined ? {} : { cause }),
  });
}

function headline({ end, stage, milliseconds, factor }: BootFacts): string {
  const after = duration(milliseconds);
  switch (end.kind) {
    case 'deadline': {
      const stretched = factor === 1 ? '' : ` (${duration(stage.deadline)} times the slow factor ${String(factor)})`;
      return `boot stage '${stage.name}' was not reached within ${duration(stage.deadline * factor)}${stretched}`;
    }
    case 'crash': {
      const { crash } = end;
      const ended = end.how === undefined ? '' : `; then ${end.how}`;
      return `${crash.meaning}, ${after} after boot stage '${stage.name}' began${ended}`;
    }
    case 'exited':
      return `the machine ended before boot stage '${stage.name}', ${after} after that began: ${end.how}`;
    case 'aborted':
      return `the boot was aborted in stage '${stage.name}', ${after} after that began: ${reasonText(end.reason)}`;
  }
}

function remedyFor({ end, stage, factor }: BootFacts): string | undefined {
  switch (end.kind) {
    case 'deadline':
      return `see what each console printed last; if this machine is only slow, set PETRI_SLOW_FACTOR above ${String(factor)}`;
    case 'crash':
      return `read the log of console '${end.crash.console}' from that line on`;
    case 'exited':
      return `see what each console printed last, and what '${stage.name}' needs`;
    case 'aborted':
      return undefined;
  }
}

function reachedBefore(reached: readonly StageTime[]): string {
  if (reached.length === 0) return 'no stage was reached before';
  return `reached before: ${reached.map(({ name, milliseconds }) => `${name} (${duration(milliseconds)})`).join(', ')}`;
}

function logs(consoles: ReadonlyMap<string, SerialConsole>): string[] {
  return [...consoles].flatMap(([name, { logPath }]) =>
    logPath === undefined ? [] : [`log of '${name}': ${logPath}`],
  );
}

function tails(consoles: ReadonlyMap<string, SerialConsole>): string {
  return [...consoles]
    .flatMap(([name, console]) => {
      if (console.size === 0) return [`--- ${name}: nothing arrived`];
      const lines = console.tail(TAIL_LINES).split('\n');
      return [
        `--- ${name}, the last of ${console.size.toLocaleString('en')} bytes:`,
        ...lines.map((line) => `  | ${line.slice(0, LINE_WIDTH)}`),
      ];
    })
    .join('\n');
}

function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${String(Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
