import pc from 'picocolors';

import { type Missing, type ProbeResult, knownFeatures } from '../contract/index.ts';
import { harmlessLine, print, printJson } from '../text/index.ts';
import { type BackendReport, backendNames, surveyBackends } from '../vitest/index.ts';
import { describeFolders, lookAtFolders } from './doctor-folders.ts';
import { exitCodes } from './errors.ts';
import { failIfUnknown } from './list.ts';
import type { CommandOptions } from './command-options.ts';
import { hasConfig, withProject } from './project.ts';

/**
 * `petri doctor`: the capabilities of each backend here, and the folders in use. Fails if the requested backend, or
 * every one, cannot run, and if a folder is unusable.
 */
export async function doctor(options: CommandOptions, cwd: string): Promise<void> {
  // The user's backends are in the configuration.
  const reports = hasConfig(cwd)
    ? await withProject(cwd, () => survey(options.backend))
    : await survey(options.backend);
  const folders = lookAtFolders(cwd);
  if (options.json === true) {
    printJson({ node: process.version, folders, backends: reports });
  } else {
    const title = `Node ${process.version} on ${process.platform} ${process.arch}`;
    print(`${[title, ...describeFolders(folders), ...reports.flatMap(describe)].join('\n')}\n`);
  }
  const usable = Object.values(folders).every((folder) => !('missing' in folder));
  if (!usable || !reports.some((report) => report.probe.available)) process.exitCode = exitCodes.failure;
}

async function survey(backend: string | undefined): Promise<BackendReport[]> {
  if (backend === undefined) return await surveyBackends(backendNames());
  await failIfUnknown(backend);
  return await surveyBackends([backend]);
}

function describe(report: BackendReport): string[] {
  const state = report.probe.available ? pc.green('ready') : pc.yellow('not available');
  const title = `\n${pc.bold(report.name)}  ${state}  ${pc.dim(report.description)}`;
  return [title, ...(report.probe.available ? abilities(report.probe) : report.probe.missing.flatMap(shortcoming))];
}

function abilities(probe: ProbeResult & { readonly available: true }): string[] {
  const lines = Object.entries(probe.isolation).map(([isolation, has]) => {
    const lacks = knownFeatures().filter((feature) => !has.includes(feature));
    const shown = has.length > 0 ? has.join(', ') : 'no features';
    return `  ${pc.cyan(isolation.padEnd(5))} ${shown}${lacks.length > 0 ? pc.dim(`; without ${lacks.join(', ')}`) : ''}`;
  });
  for (const [isolation, missing] of Object.entries(probe.lacking ?? {})) {
    lines.push(`  ${pc.yellow(isolation.padEnd(5))} not here`, ...missing.flatMap(shortcoming));
  }
  const { maxMemory, maxVcpus, maxPlanes } = probe.limits;
  lines.push(
    `  limits: ${String(maxMemory / 2 ** 20)} MiB of memory, ${String(maxVcpus)} vCPU, ${String(maxPlanes)} auxiliary planes`,
  );
  for (const [name, value] of Object.entries(probe.facts)) lines.push(`  ${name}: ${harmlessLine(value)}`);
  return lines;
}

function shortcoming(missing: Missing): string[] {
  return [
    `  ${pc.yellow('missing')}: ${harmlessLine(missing.what)}`,
    ...(missing.remedy === '' ? [] : [`  remedy:  ${harmlessLine(missing.remedy)}`]),
  ];
}
