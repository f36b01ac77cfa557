import type { CrashSignature } from './stage.ts';

/**
 * What TF-A prints on its crash console. Sources: ARM-software/arm-trusted-firmware, `common/aarch64/debug.S`,
 * `bl31/aarch64/crash_reporting.S`, `plat/common/aarch64/plat_common.c`, `lib/libc/assert.c`, `common/backtrace.c`,
 * `bl1/bl1_main.c`, `bl2/bl2_image_load_v2.c`, `services/std_svc/rmmd/rmmd_main.c`.
 */
export const tfaCrashes: readonly CrashSignature[] = [
  { pattern: /RMM init failed: /, meaning: 'TF-A could not start the RMM' },
  { pattern: /Failed to load BL2 firmware/, meaning: 'BL1 could not load BL2' },
  { pattern: /BL2: Failed to load image id/, meaning: 'BL2 could not load an image of the FIP' },
  {
    pattern: /Unhandled (?:Interrupt )?Exception in EL3/,
    meaning: 'TF-A took an exception that it has no handler for',
  },
  { pattern: /Unhandled External Abort received on/, meaning: 'TF-A took an external abort' },
  { pattern: /PANIC in EL3/, meaning: 'TF-A panicked' },
  { pattern: /PANIC at PC : /, meaning: 'TF-A panicked' },
  { pattern: /^ASSERT: /, meaning: 'an assertion of TF-A failed' },
  { pattern: /BACKTRACE: START: /, meaning: 'TF-A printed a backtrace' },
];

/** What the RMM prints. Sources: TF-RMM/tf-rmm, `runtime/core/handler.c`, `lib/libc/src/assert.c`. */
export const rmmCrashes: readonly CrashSignature[] = [
  { pattern: /Unexpected exception on CPU #/, meaning: 'the RMM took an exception of its own' },
  { pattern: /Assertion "/, meaning: 'an assertion of the RMM failed' },
];

/**
 * What EDK2 prints. Sources: tianocore/edk2, `MdePkg/Library/BaseDebugLibSerialPort/DebugLib.c`,
 * `ArmPkg/Library/DefaultExceptionHandlerLib/AArch64/DefaultExceptionHandler.c`.
 */
export const edk2Crashes: readonly CrashSignature[] = [
  { pattern: /^ASSERT \[/, meaning: 'an assertion of EDK2 failed' },
  { pattern: /^(?:Synchronous|IRQ|FIQ|SError) Exception at 0x/, meaning: 'EDK2 took an exception' },
];

/**
 * What Linux prints, as the host, in plane 0 or in a realm. Sources: torvalds/linux, `kernel/panic.c`, `init/main.c`,
 * `init/do_mounts.c`, `arch/arm64/kernel/traps.c`.
 */
export const linuxCrashes: readonly CrashSignature[] = [
  { pattern: /Unable to mount root fs on /, meaning: 'Linux found no root file system' },
  { pattern: /No working init found/, meaning: 'Linux found no init program' },
  { pattern: /Attempted to kill init!/, meaning: "Linux's init ended" },
  { pattern: /Kernel panic - not syncing: /, meaning: 'Linux panicked' },
  {
    pattern: /Internal error: (?:Oops|aarch64 BRK|synchronous external abort)/,
    meaning: 'Linux took an exception of its own',
  },
];

/** Those of every world. */
export const crashSignatures: readonly CrashSignature[] = [
  ...tfaCrashes,
  ...rmmCrashes,
  ...edk2Crashes,
  ...linuxCrashes,
];
