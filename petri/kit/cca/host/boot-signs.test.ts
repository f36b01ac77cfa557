import { expect, it } from 'vitest';
import { BootError, stagedBoot } from '../../boot/index.ts';
import { SerialConsole } from '../../../serial/index.ts';
import { bootSigns, crashOn, hostCrashes } from './boot-signs.ts';
import { HOST_CONSOLE } from './host-platform.ts';

const stages = [{ name: 'rmm', console: HOST_CONSOLE, marker: bootSigns.rmm, deadline: 1 }];

async function boot(...lines: readonly string[]): Promise<unknown> {
  const console = new SerialConsole({ name: HOST_CONSOLE });
  console.push(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
  const consoles = new Map([[HOST_CONSOLE, console]]);
  return await stagedBoot({ stages, consoles, crashes: hostCrashes, slowFactor: 1 }).catch((error: unknown) => error);
}

const leaves = 'INFO:    BL31: Preparing for EL3 exit to normal world';

it.each([
  ['BL31', 'INFO:    RMM init end.'],
  ['the RMM', 'Booting RMM v.0.7.0(debug) tf-rmm-v0.7.0 Built: now'],
  ["the host's KVM", '[    0.421337] kvm [1]: RMI ABI version 1.0'],
])('recognises by the output of %s that the RMM has started', async (_, line) => {
  expect(await boot(line)).toMatchObject({ stages: [{ name: 'rmm' }] });
});

it('does not recognise it by what is printed without an RMM', async () => {
  const error = await boot(leaves, 'EFI stub: Booting Linux Kernel...', '[    0.0] Linux version 6.17.0');
  expect(error).toBeInstanceOf(BootError);
  expect(error).toMatchObject({ kind: 'deadline', stage: 'rmm' });
});

it('ends if the RMM did not start, although TF-A continues', async () => {
  // As printed by an RMM 1.x on TF-A 2.15 without RMM_V1_COMPAT.
  const failed = [
    'INFO:    RMM init start.',
    'ERROR:   RMM init failed: -2',
    'WARNING: BL31: RMM initialization failed',
    leaves,
  ];
  expect(await boot(...failed)).toMatchObject({
    kind: 'crash',
    message: expect.stringContaining('RMM init failed: -2'),
  });
});

it('recognises the crashes of each world on the console that they share', () => {
  const meanings = ['PANIC at PC : 0x4', 'Synchronous Exception at 0x0', '[ 1.0] Kernel panic - not syncing: x'].map(
    (line) => crashOn(hostCrashes, HOST_CONSOLE, line)?.meaning,
  );
  expect(meanings).toEqual(['TF-A panicked', 'EDK2 took an exception', 'a Linux kernel panicked']);
});
