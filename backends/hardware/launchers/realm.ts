import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { fitsCommand, shellCommands } from '../../../petri/kit/cca/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { TmkTest } from '../../../petri/contract/index.ts';
import { join } from 'node:path';
import { AgentGuest, type ShellLines } from '../guests/agent-guest.ts';
import type { KvmtoolConfig, QemuGuestConfig } from '../hosts/schema.ts';
import { fillTemplate, type TemplateValues } from '../hosts/template.ts';
import { kvmtoolArguments } from './kvmtool-arguments.ts';
import { templateValues, testOf, type Program, type ProgramContext } from './program.ts';
import { confidentialQemuArguments } from './qemu-arguments.ts';

/** share.sh puts the agent into lkvm's root folder. */
const lkvmLines: ShellLines = shellCommands;

/** A user's initramfs provides a shell; everything else is in the shared folder. */
const initrdLines: ShellLines = {
  nudge: (nonce) => `echo '##pe''tri ${nonce} shell##'`,
  startAgent: (nonce) =>
    'mkdir -p /root/mount; [ -e /root/mount/tmk_vmm ] || mount -t 9p -o trans=virtio,version=9p2000.L cca_mount /root/mount; ' +
    `exec sh /root/mount/plane0-agent.sh ${nonce}`,
};

/** A realm of kvmtool, with Linux in plane 0 and the TMK in plane 1. */
export async function kvmtoolProgram(config: KvmtoolConfig, context: ProgramContext): Promise<Program> {
  return await guestProgram(config.tmkVmm, context, lkvmLines, (values) => [
    config.command,
    ...kvmtoolArguments(config.kernel, context.spec.config, values.folder),
    ...config.args.map((argument) => fillTemplate(argument, values)),
  ]);
}

/** A confidential guest of QEMU, with Linux in it. */
export async function qemuGuestProgram(config: QemuGuestConfig, context: ProgramContext): Promise<Program> {
  return await guestProgram(config.tmkVmm, context, initrdLines, (values) => [
    ...confidentialQemuArguments(config, context.spec, values.folder),
    ...config.args.map((argument) => fillTemplate(argument, values)),
  ]);
}

async function guestProgram(
  tmkVmm: string,
  context: ProgramContext,
  lines: ShellLines,
  launcherArgv: (values: TemplateValues) => readonly string[],
): Promise<Program> {
  const { spec, testIndex, home, launcher, serial, log, signal } = context;
  if (launcher === undefined) throw new Error('a guest with an agent has a console of its own');
  const test = runnableTest(testOf(spec, testIndex));
  const share = await home.script('share.sh');
  const payload = await home.put(spec.payload.path);
  const agent = await home.put(join(artifactsFolder(), 'cca', 'guest', 'plane0-agent.sh'));
  return {
    guest: new AgentGuest({
      lines,
      test: test.name,
      image: spec.payload.image,
      serial,
      launcher,
      log,
      signal,
    }),
    // The agents and lkvm require a terminal.
    terminal: true,
    argv: (folder) => [
      ...['sh', share, folder, payload, tmkVmm, agent],
      ...launcherArgv(templateValues(spec, testIndex, { payload, folder })),
    ],
  };
}

/** tmk_vmm selects tests by name, in a line of a terminal. */
function runnableTest(test: TmkTest): TmkTest {
  if (test.name !== '' && fitsCommand(test.name)) return test;
  throw new PetriError(`the test ${JSON.stringify(test.name.slice(0, 100))} cannot be given to tmk_vmm by its name`, {
    code: 'unsupported',
    step: 'payload',
    remedy: 'give the test a shorter name',
  });
}
