import pc from 'picocolors';
import type { TestCase, TestProject } from 'vitest/node';

import { PetriError } from '../errors.ts';
import { parseTags } from '../run/index.ts';
import { harmlessLine, print, printJson } from '../text/index.ts';
import type { Feature, IsolationType } from '../contract/index.ts';
import {
  type BackendReport,
  backendNames,
  isUserBackend,
  loadBackend,
  surveyBackends,
  isolationVariable,
  resolveOptions,
  configuredOptions,
  type ProvidedSurvey,
} from '../vitest/index.ts';
import type { CommandOptions } from './command-options.ts';
import { withProject } from './project.ts';

/** One VM test and whether it runs on each backend. */
interface Listing {
  /** Name of the vitest project, if it has one. */
  readonly project?: string;
  readonly file: string;
  readonly name: string;
  readonly isolation: IsolationType;
  /** The features that it requires. */
  readonly requires: readonly Feature[];
  /** All of its requirements in words; '' if there are none. */
  readonly requirement: string;
  /** By backend: null if the test runs there, otherwise the reason. */
  readonly skippedOn: Readonly<Record<string, string | null>>;
}

/** `petri list`: every VM test, and for each backend whether it runs there. */
export async function list(filters: readonly string[], options: CommandOptions, cwd: string): Promise<void> {
  // As in a run: the variable reaches every project.
  if (options.isolation !== undefined) process.env[isolationVariable] = [options.isolation].flat().join(',');
  const { listings, reports } = await withProject(cwd, async (vitest) => {
    if (options.backend !== undefined) await failIfUnknown(options.backend);
    const surveyed = await surveyBackends(options.backend === undefined ? backendNames() : [options.backend]);
    for (const project of vitest.projects) project.provide('petriSurvey', surveyOf(project, surveyed));
    const { testModules, unhandledErrors } = await vitest.collect([...filters]);
    const errors = [...unhandledErrors, ...testModules.flatMap((module) => module.errors())];
    if (errors.length > 0) throw uncollected(errors);
    const found = testModules.flatMap((module) =>
      [...module.children.allTests()].map((test) => listing(test, surveyed)),
    );
    return { listings: found.filter((entry) => entry !== undefined), reports: surveyed };
  });
  if (options.json === true) printJson({ tests: listings });
  else printList(listings, reports);
}

/** A planned backend has a name, and its reason is listed; an unknown name is an error. */
export async function failIfUnknown(name: string): Promise<void> {
  try {
    await loadBackend(name);
  } catch (error) {
    if (error instanceof PetriError && error.code === 'unknown-backend') throw error;
  }
}

function uncollected(errors: readonly unknown[]): PetriError {
  const messages = errors.map((error) => {
    const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error;
    return String(message);
  });
  return new PetriError('some test files cannot be read:', {
    code: 'invalid-config',
    step: 'config',
    details: [...new Set(messages)].flatMap((message) => message.split('\n')),
    remedy: 'run them with `petri test` to see where',
  });
}

/** What a run of the project would select, and the backends to query. */
function surveyOf(project: TestProject, reports: readonly BackendReport[]): ProvidedSurvey {
  return {
    backends: reports.map(({ name, probe }) => ({ name, probe, userBackend: isUserBackend(name) })),
    isolation: resolveOptions([], process.env, configuredOptions(project)).isolation,
  };
}

function listing(test: TestCase, reports: readonly BackendReport[]): Listing | undefined {
  const needs = parseTags(test.tags);
  if (needs === undefined) return undefined;
  const { project } = test;
  const leftOut = test.result().state === 'skipped' ? whyLeftOut(project) : undefined;
  const { skippedOn, requirement = '' } = test.meta().petri ?? {};
  return {
    ...(project.name === '' ? {} : { project: project.name }),
    file: test.module.relativeModuleId,
    name: test.fullName,
    ...needs,
    requirement,
    skippedOn: Object.fromEntries(reports.map(({ name }) => [name, leftOut ?? skippedOn?.[name] ?? null])),
  };
}

function whyLeftOut({ config }: TestProject): string {
  const isFiltered = (config.tagsFilter?.length ?? 0) > 0 || config.testNamePattern !== undefined;
  return isFiltered ? 'left out by the test file or by a filter of the configuration' : 'skipped in the test file';
}

function printList(listings: readonly Listing[], reports: readonly BackendReport[]): void {
  const out: string[] = [];
  let file = '';
  for (const entry of listings) {
    const of = `${pc.bold(entry.file)}${entry.project === undefined ? '' : pc.dim(`  project ${entry.project}`)}`;
    if (of !== file) out.push(`${file === '' ? '' : '\n'}${of}`);
    file = of;
    const needs = entry.requirement === '' ? '' : pc.dim(`  needs ${harmlessLine(entry.requirement)}`);
    out.push(`  ${pc.cyan(entry.isolation.padEnd(5))}${harmlessLine(entry.name)}${needs}`);
    const runs = Object.entries(entry.skippedOn).filter(([, reason]) => reason === null);
    const skipped = Object.entries(entry.skippedOn).filter(([, reason]) => reason !== null);
    const words = [
      ...runs.map(([name]) => pc.green(`${name}: runs`)),
      ...skipped
        .filter(([name]) => isAvailable(reports, name))
        .map(([name, reason]) => pc.yellow(`${name}: skipped, ${harmlessLine(String(reason))}`)),
    ];
    out.push(`       ${words.length > 0 ? words.join(pc.dim(' | ')) : pc.yellow('runs nowhere here')}`);
  }
  out.push('');
  for (const report of reports) {
    const count = listings.filter((entry) => entry.skippedOn[report.name] === null).length;
    const note = report.probe.available
      ? ''
      : pc.yellow(` (${harmlessLine(report.probe.missing.map((item) => item.what).join('; '))})`);
    out.push(`${report.name.padEnd(10)}runs ${String(count)} of ${String(listings.length)}${note}`);
  }
  print(`${out.join('\n')}\n`);
}

function isAvailable(reports: readonly BackendReport[], name: string): boolean {
  return reports.some((report) => report.name === name && report.probe.available);
}
