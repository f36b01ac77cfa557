import type { Stage } from '../misbehaviour.ts';

/** Lines that one world prints on its terminal. */
export interface BootText {
  readonly stage: Stage;
  readonly terminal: number;
  readonly lines: readonly string[];
}

const guest = 'guest-1';

/**
 * What the worlds print until the host's init runs: the lines of the recorded run that people and programs look for,
 * with a few of those between them. Versions as in the record: TF-A 2.13, RMM 0.7, Linux 6.17.
 */
export const bootTexts: readonly BootText[] = [
  {
    stage: 'tf-a',
    terminal: 0,
    lines: [
      'NOTICE:  Booting Trusted Firmware',
      'NOTICE:  BL1: v2.13.0(debug):v2.13.0-632',
      'NOTICE:  BL1: Built : 13:52:50, Oct 30 2025',
      'INFO:    BL1: RAM 0x4035000 - 0x403d000',
      'NOTICE:  BL1: Booting BL2',
      'NOTICE:  BL2: v2.13.0(debug):v2.13.0-632',
      'INFO:    Enabling Granule Protection Checks',
      'NOTICE:  BL2: Booting BL31',
      'NOTICE:  BL31: v2.13.0(debug):v2.13.0-632',
      'INFO:    BL31: Initializing RMM',
      'INFO:    RMM init start.',
    ],
  },
  {
    stage: 'rmm',
    terminal: 3,
    lines: [
      'Booting RMM v.0.7.0(debug) tf-rmm-v0.7.0-79 Built: Oct 30 2025 13:46:39 with GCC 14.3.1',
      'RMM-EL3 Interface v.0.8',
      'Boot Manifest Interface v.0.5',
      'RMI ABI revision v1.1',
      'RSI ABI revision v1.1',
    ],
  },
  {
    stage: 'rmm',
    terminal: 0,
    lines: [
      'INFO:    RMM init end.',
      'INFO:    BL31: Preparing for EL3 exit to normal world',
      'INFO:    Entry point address = 0x88000000',
      'INFO:    SPSR = 0x3c9',
    ],
  },
  { stage: 'edk2', terminal: 1, lines: ['UEFI firmware (version  built at 13:52:16 on Oct 30 2025)'] },
  {
    stage: 'edk2',
    terminal: 0,
    lines: [
      '\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01HUEFI Interactive Shell v2.2',
      'EDK II',
      'UEFI v2.70 (EDK II, 0x00010000)',
      '\x1b[1m\x1b[33m\x1b[40mPress \x1b[1m\x1b[37m\x1b[40mESC\x1b[1m\x1b[33m\x1b[40m in 1 seconds to skip startup.nsh',
      'FS0:\\> Image dtb=fdt.dtb console=ttyAMA0 earlycon=pl011,0x1c090000 root=/dev/vda ip=dhcp',
      'EFI stub: Booting Linux Kernel...',
      'EFI stub: Using DTB from command line',
      'EFI stub: Exiting boot services...',
    ],
  },
  {
    stage: 'host-kernel',
    terminal: 0,
    lines: [
      '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd0f0]',
      '[    0.000000] Linux version 6.17.0-rc7 (tuxmake@tuxmake) #1 SMP PREEMPT',
      '[    0.000000] Machine model: FVP Base RevC',
      '[    0.000000] psci: PSCIv1.1 detected in firmware.',
      '[    0.061452] CPU: All CPU(s) started at EL2',
      '[    0.421337] kvm [1]: RMI ABI version 1.0',
      '[    0.421501] kvm [1]: IPA Size Limit: 48 bits',
      '[    0.421640] kvm [1]: GICv3: no GICV resource entry',
      '[    0.422019] kvm [1]: VHE mode initialized successfully',
      '[    1.903331] EXT4-fs (vda): mounted filesystem r/w with ordered data mode.',
      '[    1.905172] VFS: Mounted root (ext4 filesystem) on device 254:0.',
      '[    2.107219] Run /sbin/init as init process',
    ],
  },
];

/** What the host prints on its way down, and BL31 after it. */
export const shutdownTexts: readonly BootText[] = [
  {
    stage: 'host-agent',
    terminal: 0,
    lines: ['[  175.093956] kvm: exiting hardware virtualization', '[  175.094302] reboot: Power down'],
  },
  {
    stage: 'host-agent',
    terminal: 1,
    lines: [
      'INFO:    PSCI Power Domain Map:',
      'INFO:      Domain Node : Level 2, parent_node 4294967295, State ON (0x0)',
      'INFO:      CPU Node : MPID 0x0, parent_node 1, State ON (0x0)',
    ],
  },
];

/** What a world prints when it cannot go on, on the terminal where it does. */
export const crashTexts: Readonly<Partial<Record<Stage, BootText>>> = {
  'tf-a': {
    stage: 'tf-a',
    terminal: 0,
    lines: [
      'ERROR:   BL2: Failed to load image id 3 (-2)',
      'PANIC at PC : 0x0000000004020b14',
      'Exception mode=AArch64',
    ],
  },
  rmm: {
    stage: 'rmm',
    terminal: 3,
    lines: ['ASSERT: granule.c:412: granule_state_ok', 'PANIC in RMM', 'BACKTRACE: START'],
  },
  edk2: {
    stage: 'edk2',
    terminal: 0,
    lines: [
      '',
      'Synchronous Exception at 0x00000000F8A3C1D8',
      'ASSERT [ArmCpuDxe] DefaultExceptionHandler.c(333): ((BOOLEAN)(0==1))',
    ],
  },
  'host-kernel': {
    stage: 'host-kernel',
    terminal: 0,
    lines: [
      '[    1.905172] VFS: Cannot open root device "/dev/vda" or unknown-block(254,0): error -6',
      '[    1.905511] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(254,0)',
      '[    1.905820] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(254,0) ]---',
    ],
  },
  'host-agent': {
    stage: 'host-agent',
    terminal: 0,
    lines: [
      '[    2.310882] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100',
      '[    2.311170] ---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100 ]---',
    ],
  },
  realm: {
    stage: 'realm',
    terminal: 0,
    lines: [
      '',
      '[   31.774210] Internal error: Oops: 0000000096000004 [#1]  SMP',
      '[   31.774899] Kernel panic - not syncing: Oops: Fatal exception',
      '[   31.775203] ---[ end Kernel panic - not syncing: Oops: Fatal exception ]---',
    ],
  },
  // The kernel of plane 0.
  plane0: {
    stage: 'plane0',
    terminal: 0,
    lines: [
      '[   22.301187] Internal error: synchronous external abort: 0000000096000010 [#1]  SMP',
      '[   22.301871] Kernel panic - not syncing: synchronous external abort: Fatal exception',
      '[   22.302204] ---[ end Kernel panic - not syncing: synchronous external abort: Fatal exception ]---',
    ],
  },
  // The host's, while a test runs.
  tmk: {
    stage: 'tmk',
    terminal: 0,
    lines: [
      '',
      '[   61.774210] Internal error: Oops: 0000000096000004 [#1]  SMP',
      '[   61.774899] Kernel panic - not syncing: Oops: Fatal exception',
    ],
  },
};

/** What RMM prints while a realm is made (rows 9, 10), at LOG_LEVEL 40. */
export const realmCreated: readonly string[] = [
  'SMC_RMI_REALM_CREATE              881fea000 88200a000 > RMI_SUCCESS',
  'SMC_RMI_REC_CREATE                881fea000 89ddf7000 > RMI_SUCCESS',
  'SMC_RMI_REALM_ACTIVATE            881fea000 > RMI_SUCCESS',
  'SMC_RSI_VERSION                   10000 > RSI_SUCCESS 10000 10001',
  'SMC_RSI_REALM_CONFIG              81a03000 > RSI_SUCCESS',
];

/** What RMM prints when a realm is gone (row 12). */
export const realmDestroyed: readonly string[] = [
  'SMC_RMI_REC_DESTROY               89ddf7000 > RMI_SUCCESS',
  'SMC_RMI_REALM_DESTROY             881fea000 > RMI_SUCCESS',
];

/** What kvmtool and the realm's kernel print until plane 0 has a shell (rows 8, 11). */
export function realmBoot(megabytes: number): readonly string[] {
  return [
    `  Info: # lkvm run -k /cca/Image -m ${megabytes} -c 1 --name ${guest}`,
    '  Debug: (arm64/realm.c) realm_populate_region:125: Populated Realm memory area : 80000000 - 826b6000 (size 40591360 bytes)',
    '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd0f0]',
    '[    0.000000] Linux version 6.15.0 (tuxmake@tuxmake) #1 SMP PREEMPT',
    '[    0.000000] Machine model: linux,dummy-virt',
    '[    0.000000] psci: SMC Calling Convention v1.2',
    '[    0.000000] RME: Using RSI version 1.0',
    '[   21.980114] VFS: Mounted root (9p filesystem) on device 0:22.',
    '[   22.104518] Run /virt/init as init process',
  ];
}

/** A line that a kernel may print at any time, unless it was told to be quiet. */
export const kernelNoise = '[   40.118204] random: crng reseeded on system resumption';
