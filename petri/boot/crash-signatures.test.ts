import { describe, expect, it } from 'vitest';
import { SerialConsole } from '../serial/index.ts';
import { CrashWatch } from './crash-watch.ts';
import { crashSignatures } from './crash-signatures.ts';

const ESCAPE = '\u001B';

async function meaningOf(text: string): Promise<string | undefined> {
  const console = new SerialConsole({ name: 'uart' });
  const watch = new CrashWatch(new Map([['uart', console]]), crashSignatures);
  console.push(Buffer.from(text));
  // What a search had not found by its console's end, it does not find.
  console.close();
  await console.lines().next();
  await new Promise(setImmediate);
  watch.stop();
  return watch.crash?.meaning;
}

describe('crashSignatures', () => {
  it.each([
    ['ERROR:   Failed to load BL2 firmware.', 'BL1 could not load BL2'],
    ['ERROR:   BL2: Failed to load image id 5 (-2)', 'BL2 could not load an image of the FIP'],
    ['ERROR:   RMM init failed: -2', 'TF-A could not start the RMM'],
    ['PANIC at PC : 0x0000000004026f3c', 'TF-A panicked'],
    ['PANIC in EL3.', 'TF-A panicked'],
    ['Unhandled Exception in EL3.', 'TF-A took an exception that it has no handler for'],
    ['ASSERT: bl31/bl31_main.c:246', 'an assertion of TF-A failed'],
    ['Unexpected exception on CPU #0:', 'the RMM took an exception of its own'],
    ['Assertion "s2tte_is_valid(x, 3L)" failed rtt.c:99', 'an assertion of the RMM failed'],
    ['Synchronous Exception at 0x00000000F9D1A3C0', 'EDK2 took an exception'],
    ['ASSERT [ArmVirtMemInfo] /e/x.c(52): Region != ((void *) 0)', 'an assertion of EDK2 failed'],
    ['[    0.9] Kernel panic - not syncing: Fatal exception', 'Linux panicked'],
    [
      '[    0.9] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
      'Linux found no root file system',
    ],
    [`${ESCAPE}[31m[    1.2] Internal error: Oops: 0000000096000004 [#1] SMP`, 'Linux took an exception of its own'],
  ])('reads %s', async (line, meaning) => {
    expect(await meaningOf(`NOTICE:  BL1: fine\r\n${line}\r\nand more\r\n`)).toBe(meaning);
  });

  it('takes nothing of a boot that goes well for a crash', async () => {
    const boot = [
      'NOTICE:  Booting Trusted Firmware',
      'WARNING: BL2: image not found, skipping it',
      'INFO:    RMM init start.',
      'INFO:    RMM init end.',
      'Booting RMM v.0.7.0(debug) Built: now with GCC 14',
      'ERROR:   QEMU System Power off: with GPIO.',
      'SMC_RMI_RTT_CREATE 1 2 3 > RMI_ERROR_RTT 3',
      'UEFI firmware (version  built at 10:00:00 on Oct  1 2025)',
      '[    0.0] printk: debug: ignoring loglevel setting.',
      '[    0.0] kvm [1]: RMI ABI version 1.0',
      '[    0.0] Kernel command line: panic=-1 oops=panic',
      'Run /init as init process',
    ].join('\r\n');
    expect(await meaningOf(`${boot}\r\n`)).toBeUndefined();
  });
});
