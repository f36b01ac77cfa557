import { describe, expect, it } from 'vitest';
import { SerialConsole } from '../../serial/index.ts';
import { CrashWatch } from './crash-watch.ts';
import { crashSignatures, finalPanicWords, panicWords } from './crash-signatures.ts';

const ESCAPE = '\u001B';

async function meaningOf(text: string): Promise<string | undefined> {
  const console = new SerialConsole({ name: 'uart' });
  const watch = new CrashWatch(new Map([['uart', console]]), crashSignatures);
  console.push(Buffer.from(text));
  // A search that has found nothing when its console ends finds nothing.
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
    ['[    0.9] Kernel panic - not syncing: Fatal exception', 'a Linux kernel panicked'],
    [
      '[    0.9] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
      'Linux found no root file system',
    ],
    [
      `${ESCAPE}[31m[    1.2] Internal error: Oops: 0000000096000004 [#1] SMP`,
      'a Linux kernel took an exception of its own',
    ],
    ['[    0.014000] Internal error: undefined instruction: 0 [#1] SMP', 'a Linux kernel took an exception of its own'],
    ['[    5.120000] Internal error: Oops: 000000008600000e [#1] SMP', 'a Linux kernel took an exception of its own'],
    ['[    1.0][    T1] Internal error: Oops - BTI: 0 [#12]  SMP', 'a Linux kernel took an exception of its own'],
    ['Internal error: SP/PC alignment exception: 8a000000 [#1]', 'a Linux kernel took an exception of its own'],
    ['/ # [    5.1] Internal error: ptrace BRK handler: 0 [#1] SMP', 'a Linux kernel took an exception of its own'],
    [
      '[    1.0] Oops: general protection fault, maybe for address 0x1: 0000 [#1] SMP',
      'a Linux kernel took an exception of its own',
    ],
    ['ASSERT: lib/xlat_tables_v2/xlat_tables_core.c:123', 'an assertion of TF-A failed'],
    ['ASSERT: File plat/arm/common/aarch64/arm_helpers.S Line 77', 'an assertion of TF-A failed'],
    ['WARNING: No RMM image provided by BL2 boot loader, Booting device without', 'the firmware has no RMM'],
    ['WARNING: RMMD setup failed. Continuing boot.', 'TF-A could not start the RMM'],
    ['WARNING: BL31: RMM initialization failed', 'TF-A could not start the RMM'],
    ['ASSERT_EFI_ERROR (Status = Not Found)', 'an assertion of EDK2 failed'],
    ['!!!! X64 Exception Type - 0E(#PF - Page-Fault)  CPU Apic ID - 00000000 !!!!', 'EDK2 took an exception'],
    ['[    0.9] Failed to execute /init (error -8)', 'Linux could not execute its init program'],
    ['[    3.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009', "Linux's init ended"],
    ['[    9.0] Starting crashdump kernel...', 'a Linux kernel panicked and started its crash kernel'],
    ['You are in emergency mode. After logging in, type "journalctl -xb"', 'systemd gave up its boot'],
    ['systemd[1]: Freezing execution.', 'systemd froze'],
    ['ALERT!  /dev/vda1 does not exist.  Dropping to a shell!', 'the initramfs found no root file system'],
    ["thread 'main' panicked at src/main.rs:3:5:", 'a program in Rust panicked'],
    ["thread 'vp-0' (112) panicked at src/main.rs:3:5:", 'a program in Rust panicked'],
  ])('reads %s', async (line, meaning) => {
    expect(await meaningOf(`NOTICE:  BL1: fine\r\n${line}\r\nand more\r\n`)).toBe(meaning);
  });

  it('finds no crash in a boot that succeeds', async () => {
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
      // busybox's init continues without it.
      "can't run '/etc/init.d/rcS': No such file or directory",
      'make: Internal error: no rule',
      '[    2.0] systemd[1]: Reached target emergency.target - Emergency Mode.',
      '[    2.1] Internal error counters: 0',
      "hint: look for ASSERT: and thread 'x' panicked at in the log",
      '  Info: KVM session ended normally.',
      'Error: Driver is already registered, aborting...',
    ].join('\r\n');
    expect(await meaningOf(`${boot}\r\n`)).toBeUndefined();
  });
});

describe('the end of a boot', () => {
  it('is found in a line of a guest that is longer than an expensive search may read', async () => {
    const console = new SerialConsole({ name: 'uart' });
    const watch = new CrashWatch(new Map([['uart', console]]), crashSignatures);
    console.push(
      Buffer.from(`${'ASSERT Internal error: '.repeat(10_000)}[    9.0] Kernel panic - not syncing: late\n`),
    );
    expect((await watch.found).meaning).toBe('a Linux kernel panicked');
    watch.stop();
  });

  it('has the words of a panic, and recognises the final one', () => {
    const panic = '[    9.1] Kernel panic - not syncing: sysrq triggered crash\r\n';
    const last = '[    9.300000] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---\r\n';
    expect(panicWords(panic)).toBe('sysrq triggered crash');
    expect(finalPanicWords(panic)).toBeUndefined();
    expect(finalPanicWords(panic + last)).toBe('sysrq triggered crash');
    expect(finalPanicWords(`# grep ${last}`)).toBeUndefined();
  });
});
