import pc from 'picocolors';

import { type ExaminedStep, type PreparedStack, showCommand } from '../../kit/stack/index.ts';

/** The plan in lines: sources, then each step with its state, its reasons and its command lines. */
export async function describePlan(prepared: PreparedStack, steps: readonly ExaminedStep[]): Promise<string[]> {
  const due = steps.filter(({ state }) => state.state === 'due').length;
  const blocks: string[][] = [];
  for (const [index, step] of steps.entries()) {
    blocks.push(await describeStep(step, `${String(index + 1)}/${String(steps.length)}`));
  }
  return [
    `The stack in ${pc.bold(prepared.plan.root)}: ${String(due)} of ${String(steps.length)} steps would run. Nothing was changed.`,
    '',
    pc.bold('Sources'),
    ...prepared.sources.flatMap((source) => [
      `  ${source.name.padEnd(13)} ${source.repository}`,
      `  ${''.padEnd(13)} ${source.revision ?? pc.yellow(`git ls-remote ${source.repository} ${source.ref ?? ''}`)}`,
      ...(source.caution === undefined ? [] : [pc.dim(`  ${''.padEnd(13)} ${source.caution}`)]),
    ]),
    '',
    ...blocks.flatMap((block) => [...block, '']),
    ...(prepared.plan.notes.length === 0 ? [] : [pc.bold('Notes'), ...prepared.plan.notes.map((note) => `  ${note}`)]),
  ];
}

async function describeStep({ step, state }: ExaminedStep, position: string): Promise<string[]> {
  const title = `${pc.bold(`${position} ${step.name}`)}  ${step.title}`;
  const commands = step.commands.map((command) => `      ${pc.cyan('$')} ${showCommand(command)}`);
  const preview = ((await step.preview?.()) ?? []).map((line) => `      ${pc.yellow(line)}`);
  switch (state.state) {
    case 'done':
      return [title, `      ${pc.green('done')} ${state.finished} in ${duration(state.seconds)}`];
    case 'check':
      return [title, `      ${pc.cyan('checked each time')}`, ...preview];
    case 'due':
      return [
        title,
        ...state.why.map((why) => `      ${pc.yellow('would run')}: ${why}`),
        ...(step.expects === undefined ? [] : [`      expected: ${step.expects}`]),
        ...preview,
        ...commands,
      ];
  }
}

/** '3 s', '12 min 4 s', '1 h 5 min'. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${String(whole)} s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
  return `${String(Math.floor(whole / 3600))} h ${String(Math.floor((whole % 3600) / 60))} min`;
}
