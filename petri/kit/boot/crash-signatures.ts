import type { CrashSignature } from './stage.ts';

/*
 * What each world prints when it cannot continue: one table for all boots. A backend combines the groups of the worlds
 * that print on each of its consoles.
 *
 * A pattern is anchored if its world prints it at the start of a line. Linux prints a time stamp first, and may print
 * into a line of another world. Repetitions are bounded, so that the search for all of them together stays cheap
 * (petri/serial/match/bounded-exec.ts).
 */

/**
 * TF-A. Sources: ARM-software/arm-trusted-firmware, `common/aarch64/debug.S`, `bl31/aarch64/crash_reporting.S`,
 * `lib/libc/assert.c`, `common/backtrace.c`, `bl1/bl1_main.c`, `bl2/bl2_image_load_v2.c`, `bl31/bl31_main.c`,
 * `services/std_svc/rmmd/rmmd_main.c`.
 *
 * TF-A itself continues if the RMM does not start; for a test that needs realms it is an error.
 */
export const tfaCrashes: readonly CrashSignature[] = [
  { pattern: /RMM init failed: /, meaning: 'TF-A could not start the RMM' },
  { pattern: /BL31: RMM initialization failed/, meaning: 'TF-A could not start the RMM' },
  { pattern: /RMMD setup failed/, meaning: 'TF-A could not start the RMM' },
  { pattern: /No RMM image provided by BL2/, meaning: 'the firmware has no RMM' },
  { pattern: /Failed to load BL2 firmware/, meaning: 'BL1 could not load BL2' },
  { pattern: /BL2: Failed to load image id/, meaning: 'BL2 could not load an image of the FIP' },
  { pattern: /Unhandled Exception (?:in|from) EL3/, meaning: 'TF-A took an exception that it has no handler for' },
  { pattern: /Unhandled Interrupt Exception in EL3/, meaning: 'TF-A took an exception that it has no handler for' },
  { pattern: /Unhandled External Abort received on/, meaning: 'TF-A took an external abort' },
  { pattern: /PANIC in EL3/, meaning: 'TF-A panicked' },
  { pattern: /PANIC at PC ?: /, meaning: 'TF-A panicked' },
  // Assertions in C print the file, those in assembly `File` and `Line`.
  { pattern: /^ASSERT: /, meaning: 'an assertion of TF-A failed' },
  { pattern: /^BACKTRACE: START/, meaning: 'firmware printed a backtrace' },
];

/**
 * The RMM. Sources: TF-RMM/tf-rmm, `runtime/core/handler.c`, `lib/libc/src/assert.c`, `lib/debug/src/backtrace.c`; one
 * in Rust has the words of `rustCrashes`.
 */
export const rmmCrashes: readonly CrashSignature[] = [
  { pattern: /Unexpected exception on CPU #/, meaning: 'the RMM took an exception of its own' },
  { pattern: /Assertion "/, meaning: 'an assertion of the RMM failed' },
  { pattern: /^PANIC in RMM/, meaning: 'the RMM panicked' },
];

/** Patterns that identify the RMM only on a console where no other world prints. */
export const rmmConsoleCrashes: readonly CrashSignature[] = [
  ...rmmCrashes,
  { pattern: /^ASSERT: /, meaning: 'an assertion of the RMM failed' },
  { pattern: /\bpanic\b/i, meaning: 'the RMM panicked' },
  { pattern: /^BACKTRACE: START/, meaning: 'the RMM printed a backtrace' },
];

/** Hafnium, the Secure Partition Manager. Source: TF-Hafnium/hafnium, `src/panic.c`. */
export const hafniumCrashes: readonly CrashSignature[] = [{ pattern: /^panic: /i, meaning: 'Hafnium panicked' }];

/**
 * EDK2. Sources: tianocore/edk2, `MdePkg/Library/BaseDebugLibSerialPort/DebugLib.c`,
 * `MdePkg/Include/Library/DebugLib.h`, `ArmPkg/Library/DefaultExceptionHandlerLib/AArch64/DefaultExceptionHandler.c`,
 * `UefiCpuPkg/Library/CpuExceptionHandlerLib/X64/ArchExceptionHandler.c`.
 */
export const edk2Crashes: readonly CrashSignature[] = [
  { pattern: /^ASSERT \[/, meaning: 'an assertion of EDK2 failed' },
  { pattern: /^ASSERT_(?:EFI|RETURN)_ERROR \(/, meaning: 'an assertion of EDK2 failed' },
  { pattern: /^(?:Synchronous|IRQ|FIQ|SError) Exception at 0x/, meaning: 'EDK2 took an exception' },
  { pattern: /^!!!! X64 Exception Type - /, meaning: 'EDK2 took an exception' },
];

/**
 * Linux, as the host, in plane 0, in a realm or in a VM of its own. Sources: torvalds/linux, `kernel/panic.c`,
 * `init/main.c`, `init/do_mounts.c`, `arch/arm64/kernel/traps.c` (`die`: any words, an ESR and the number of the oops),
 * `arch/x86/kernel/dumpstack.c`, `kernel/kexec_core.c`.
 */
export const linuxCrashes: readonly CrashSignature[] = [
  { pattern: /Unable to mount root fs on /, meaning: 'Linux found no root file system' },
  { pattern: /No working init found/, meaning: 'Linux found no init program' },
  // If this fails, Linux may use a shell as its init, which waits for input.
  { pattern: /Failed to execute \/\S{1,80} \(error -/, meaning: 'Linux could not execute its init program' },
  { pattern: /Attempted to kill init!/, meaning: "Linux's init ended" },
  { pattern: /Kernel panic - not syncing: /, meaning: 'a Linux kernel panicked' },
  { pattern: /(?:^|\] )Internal error: .{1,100}\[#\d/, meaning: 'a Linux kernel took an exception of its own' },
  { pattern: /(?:^|\] )Oops: .{1,100}\[#\d/, meaning: 'a Linux kernel took an exception of its own' },
  { pattern: /(?:^|\] )Starting crashdump kernel/, meaning: 'a Linux kernel panicked and started its crash kernel' },
];

/**
 * What starts user space: systemd, dracut, initramfs-tools. Sources: systemd `src/shared/exec-util`,
 * `units/emergency.service`, `src/core/crash-handler.c`; dracut `modules.d/98dracut-systemd`; initramfs-tools
 * `scripts/functions`.
 *
 * A missing `/etc/init.d/rcS` is not an error: busybox's init continues with its other actions.
 */
export const initCrashes: readonly CrashSignature[] = [
  { pattern: /You are in (?:emergency|rescue) mode/, meaning: 'systemd gave up its boot' },
  { pattern: /Freezing execution/, meaning: 'systemd froze' },
  { pattern: /^Entering emergency mode\. Exit the shell to continue/, meaning: 'the initramfs gave up its boot' },
  { pattern: /^Gave up waiting for (?:root|suspend)/, meaning: 'the initramfs found no root file system' },
  { pattern: /^ALERT! {1,2}\S{1,100} does not exist/, meaning: 'the initramfs found no root file system' },
];

/** Programs in Rust, with or without an operating system. Source: rust-lang/rust, `library/std/src/panicking.rs`. */
export const rustCrashes: readonly CrashSignature[] = [
  { pattern: /^thread '.{1,80}' (?:\(\d{1,10}\) )?panicked at /, meaning: 'a program in Rust panicked' },
  { pattern: /^panicked at /, meaning: 'a program in Rust panicked' },
];

/** kvmtool, which prefixes its messages with two spaces. Source: kvmtool, `util/util.c`. */
export const kvmtoolCrashes: readonly CrashSignature[] = [
  { pattern: /^ {0,4}(?:Fatal|Error): /, meaning: 'the launcher gave up' },
];

/** The signatures of all worlds, for a console on which any of them may print. */
export const crashSignatures: readonly CrashSignature[] = [
  ...tfaCrashes,
  ...rmmCrashes,
  ...edk2Crashes,
  ...linuxCrashes,
  ...initCrashes,
  ...rustCrashes,
];

/** Groups of the table as the signatures of one console. */
export function crashesOn(console: string, ...groups: readonly (readonly CrashSignature[])[]): CrashSignature[] {
  return groups.flat().map((signature) => ({ ...signature, console }));
}

const PANIC = /Kernel panic - not syncing: ([^\n]{0,500})/;
const END_OF_PANIC =
  /(?:^|\n)(?:\[ *\d{1,10}\.\d{6}\] ?)?(?:\[ *[TC]\d{1,10}\] ?)?---\[ end Kernel panic - not syncing: ([^\n]{0,500})/;

/** The words of a Linux kernel's panic in what it printed; `undefined` where there is none. */
export function panicWords(text: string): string | undefined {
  return PANIC.exec(text)?.[1]?.trim();
}

/** The same for the last line of a panic, which the kernel prints if it does not reboot (`panic=0`). */
export function finalPanicWords(text: string): string | undefined {
  return END_OF_PANIC.exec(text)?.[1]
    ?.replace(/\]---\s*$/, '')
    .trim();
}
