import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import {
  ask,
  type Evidence,
  type StackCommand,
  type StackStep,
  writeAtomically,
} from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';

/** Installs shrinkwrap: a Python environment, and a command that uses it. */
export function shrinkwrapStep(layout: StackLayout, lock: LockFile, pythonVersion: string): StackStep {
  const python = join(layout.venv, 'bin', 'python');
  const packages = Object.entries(lock.python).map(([name, version]) => `${name}==${version}`);
  const create: StackCommand = { argv: ['python3', '-m', 'venv', '--clear', layout.venv] };
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
  const install: StackCommand = { argv: [python, ...pip, ...packages], env: { PIP_REQUIRE_VIRTUALENV: '1' } };
  return {
    name: 'shrinkwrap',
    title: 'Give shrinkwrap a Python environment of its own',
    inputs: { python: pythonVersion, packages: packages.join(' '), venv: layout.venv },
    after: ['shrinkwrap-source'],
    commands: [create, install],
    expects: '1 min, 100 MB',
    async run(context) {
      await rm(layout.venv, { recursive: true, force: true });
      await context.command(create);
      await context.command(install);
      await writeAtomically(layout.shrinkwrap, launcher(layout, python), 0o755);
    },
    async inspect(): Promise<Evidence> {
      const version = await shrinkwrapVersion(layout.shrinkwrap);
      const listed = await ask([python, '-m', 'pip', 'list', '--format=freeze', '--disable-pip-version-check']);
      const wanted = new Set(Object.keys(lock.python).map(normalized));
      const found = listed.split('\n').filter((line) => wanted.has(normalized(line.split('==')[0] ?? '')));
      return { version, packages: found.sort().join(' ') };
    },
  };
}

/** The output of `shrinkwrap --version`. @throws Error if there is none */
export async function shrinkwrapVersion(command: string): Promise<string> {
  const version = await ask([command, '--version']);
  if (version === '') throw new Error(`${command} --version prints nothing`);
  return version.split('\n')[0] ?? '';
}

/**
 * Runs the tool from its checkout, so that no package has to be built with tools that are not pinned. In 2026 the tool
 * moved into a package below src/.
 */
function launcher(layout: StackLayout, python: string): string {
  const source = layout.source('shrinkwrap');
  const packaged = existsSync(join(source, 'src', 'shrinkwrap', '__main__.py'));
  const program = packaged ? '-m shrinkwrap' : join(source, 'shrinkwrap', 'shrinkwrap');
  return [
    '#!/bin/sh',
    '# Made by petri-vm: shrinkwrap from its checkout, with a Python environment of its own.',
    `PATH=${join(layout.venv, 'bin')}:$PATH`,
    ...(packaged ? [`PYTHONPATH=${join(source, 'src')}`, 'export PYTHONPATH'] : []),
    'export PATH',
    `exec ${python} ${program} "$@"`,
    '',
  ].join('\n');
}

/** Normalises a package name for comparison (PEP 503). */
function normalized(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}
