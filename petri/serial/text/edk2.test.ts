import { type ChildProcess, spawn } from 'node:child_process';

import { afterEach, expect, it } from 'vitest';

import { optionalFile, optionalTool } from '../../unit-test/optional-tool.ts';
import { SerialConsole } from '../console.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
const firmware = optionalFile('/usr/share/qemu-efi-aarch64/QEMU_EFI.fd', 'qemu-efi-aarch64');

let machine: ChildProcess | undefined;
afterEach(() => {
  machine?.kill('SIGKILL');
  machine = undefined;
});

/** A machine without disk and network, on which EDK2 ends up in its shell. */
function boot(command: string, image: string): SerialConsole {
  const board = ['-M', 'virt', '-cpu', 'cortex-a57', '-m', '256', '-nodefaults', '-display', 'none', '-net', 'none'];
  const child = spawn(command, [...board, '-serial', 'stdio', '-bios', image], { stdio: ['pipe', 'pipe', 'inherit'] });
  machine = child;
  const uart = new SerialConsole({ name: 'uart', input: (bytes) => void child.stdin.write(bytes) });
  child.stdout.on('data', (bytes: Buffer) => uart.push(bytes));
  child.once('close', () => uart.close('the machine ended'));
  return uart;
}

it('reads EDK2’s countdown, shell and menus as a person sees them, and sends it input', async (context) => {
  if (qemu === undefined || firmware === undefined) {
    context.skip('qemu-system-aarch64 or the firmware of the package qemu-efi-aarch64 is not installed');
    return;
  }
  const uart = boot(qemu, firmware);
  for (const seconds of [5, 4, 3, 2, 1]) {
    await uart.waitFor(`Press ESC in ${String(seconds)} seconds to skip startup.nsh or any other key to continue.\n`);
  }
  await uart.waitFor('Shell> ', { consume: false });

  // A line feed is not Enter here: the line continues.
  await uart.sendLine('echo one');
  await uart.sendLine('two', { ending: 'cr' });
  await uart.waitFor(/^Shell> echo onetwo$/);
  await uart.waitFor(/^onetwo$/);

  uart.lineEnding = 'cr';
  await uart.waitFor('Shell> ');
  await uart.sendLine('exit');
  for (const entry of ['Select Language', 'Device Manager', 'Boot Manager', 'Boot Maintenance Manager', 'Continue']) {
    await uart.waitFor(entry, { from: 'boot', consume: false });
  }
  expect(uart.transcript).not.toMatch(/[^\P{Cc}\n\t]/u);
});
