import { evidenceDigest, Stamps } from './stamp.ts';
import type { Evidence, StackPlan, StackStep } from './step.ts';

/** Whether a step has to run, and why. */
export type StepState =
  | { readonly state: 'done'; readonly evidence: Evidence; readonly finished: string; readonly seconds: number }
  /** It has no output, so it runs each time. */
  | { readonly state: 'check' }
  | { readonly state: 'due'; readonly why: readonly string[] };

export interface ExaminedStep {
  readonly step: StackStep;
  readonly state: StepState;
}

/** The state of every step, in order; changes nothing. A step is also due if an earlier step that it depends on is. */
export async function examine(plan: StackPlan, force: ReadonlySet<string> = new Set()): Promise<ExaminedStep[]> {
  const stamps = new Stamps(plan.root);
  const known = new Map<string, Evidence>();
  const examined: ExaminedStep[] = [];
  for (const step of plan.steps) {
    const state = await examineStep(step, stamps, known, force);
    if (state.state === 'done') known.set(step.name, state.evidence);
    examined.push({ step, state });
  }
  return examined;
}

/**
 * The state of one step.
 *
 * @param known evidence of the earlier steps that are done
 */
export async function examineStep(
  step: StackStep,
  stamps: Stamps,
  known: ReadonlyMap<string, Evidence>,
  force: ReadonlySet<string>,
): Promise<StepState> {
  if (step.inspect === undefined) return { state: 'check' };
  if (force.has(step.name)) return due('asked for');
  const waitsFor = (step.after ?? []).filter((name) => !known.has(name));
  const stamp = await stamps.read(step.name);
  if (stamp === undefined) {
    return due((await stamps.wasInterrupted(step.name)) ? 'it was interrupted' : 'it has not been done yet');
  }
  if (waitsFor.length > 0) return due(...waitsFor.map((name) => `'${name}' has to be done first`));
  const changes = differences(stamp.inputs, stampInputs(step, known));
  if (changes.length > 0) return due(...changes);
  let evidence: Evidence;
  try {
    evidence = await step.inspect();
  } catch (error) {
    return due(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
  const altered = differences(stamp.evidence, evidence);
  if (altered.length > 0) return due(...altered.map((change) => `since it was made, ${change}`));
  return { state: 'done', evidence, finished: stamp.finished, seconds: stamp.seconds };
}

/** The inputs that a stamp records: the step's own and, by digest, what the steps before it made. */
export function stampInputs(step: StackStep, known: ReadonlyMap<string, Evidence>): Record<string, string> {
  const earlier = (step.after ?? []).map(
    (name) => [`output of ${name}`, evidenceDigest(known.get(name) ?? {})] as const,
  );
  return { ...step.inputs, ...Object.fromEntries(earlier) };
}

function due(...why: string[]): StepState {
  return { state: 'due', why };
}

function differences(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [old, current] = [before[name], now[name]];
    if (old === current) return [];
    if (old === undefined) return [`${name} is new: ${brief(current)}`];
    if (current === undefined) return [`${name} is gone`];
    return [`${name} changed: ${brief(old)} -> ${brief(current)}`];
  });
}

function brief(value: string | undefined): string {
  const text = /^[0-9a-f]{40,}$/.test(value ?? '') ? (value ?? '').slice(0, 12) : (value ?? '');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
