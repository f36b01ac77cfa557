import { resolve } from 'node:path';

import type { CAC } from 'cac';
import pc from 'picocolors';
import { z } from 'zod';

import { artifactVariable } from '../artifacts/index.ts';
import { PetriError } from '../errors.ts';
import { requireUsable } from '../homes/index.ts';
import { prepareLinux } from '../kit/linux/index.ts';
import { preparedLinux } from '../payload/index.ts';
import { runInterruptible } from '../kit/process/index.ts';
import { harmlessLine, print } from '../text/index.ts';
import { describeOptions, type OptionValues, readOptions } from './options.ts';
import { Progress } from './progress.ts';

export const linuxOptions = {
  root: { value: 'folder', help: `Where the files go; without it ${preparedLinux}, where linux() looks` },
  kernel: {
    value: 'file',
    help: "A kernel of yours instead of Debian's: an arm64 Image, one in gzip, or one of EFI zboot",
  },
  busybox: { value: 'file', help: "A busybox of yours instead of Debian's: static, for AArch64" },
} as const;

/** Adds `petri linux install` to the command line. */
export function registerLinuxCommand(cli: CAC): void {
  describeOptions(
    cli.command(
      'linux <action>',
      "Install what linux() boots: Debian's kernel for arm64 and busybox, or files of yours",
    ),
    linuxOptions,
  )
    .usage('linux install [--kernel FILE] [--busybox FILE]')
    .example('petri linux install')
    .example('petri linux install --kernel arch/arm64/boot/Image.gz')
    .action(async (given: unknown) => {
      const action = z.string().parse(given);
      if (action !== 'install') {
        throw new PetriError(`there is no command 'linux ${action}'`, {
          code: 'invalid-option',
          step: 'options',
          remedy: 'the command is petri linux install',
        });
      }
      await install(readOptions(cli, 'linux', linuxOptions, action), process.cwd());
    });
}

async function install(options: OptionValues<typeof linuxOptions>, cwd: string): Promise<void> {
  const folder = resolve(cwd, options.root ?? preparedLinux);
  requireUsable('the folder for Linux', folder, 'let --root name a folder that can be written to');
  const given = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(cwd, path));
  let doing = '';
  const progress = new Progress(() => doing);
  const say = (line: string): void => {
    doing = line;
    progress.clear();
    print(`${harmlessLine(line)}\n`);
  };
  try {
    const { versions, done } = await runInterruptible((signal) =>
      prepareLinux({ folder, kernel: given(options.kernel), busybox: given(options.busybox), signal, say }),
    );
    say(`${folder} ${done ? 'now has' : 'is complete, nothing had to be done:'} ${versions.join(', ')}`);
    if (options.root === undefined) return;
    const [kernel, busybox] = ['linux-kernel', 'linux-busybox'].map(artifactVariable);
    print(pc.dim(harmlessLine(`for linux(): ${kernel}=${folder}/vmlinuz ${busybox}=${folder}/busybox`)) + '\n');
  } finally {
    progress.stop();
  }
}
