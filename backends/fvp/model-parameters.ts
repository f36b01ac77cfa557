/** A parameter of the model and its value, for `-C`. */
export type Parameter = readonly [name: string, value: string];

export interface BootFiles {
  readonly bl1: string;
  readonly fip: string;
  /** Folder from which EDK2 reads Linux, its device tree and `startup.nsh`. */
  readonly semihosting: string;
  readonly rootfs: string;
}

/** UARTs that listen for our clients: unmodified bytes, and no xterm. */
export function uartParameters(): readonly Parameter[] {
  return [0, 1, 2, 3].flatMap((uart): Parameter[] => [
    [`bp.terminal_${uart}.start_telnet`, '0'],
    [`bp.terminal_${uart}.mode`, 'raw'],
  ]);
}

/**
 * The parameters of FVP_Base_RevC-2xAEMvA for a stack of three worlds with planes, for a start without shrinkwrap:
 * those of shrinkwrap's `cca-3world.yaml` and of our overlay for planes. They are the same for both clusters.
 */
export function modelParameters(files: BootFiles): readonly Parameter[] {
  return [
    ...board,
    ...smmu,
    ...['cluster0', 'cluster1'].flatMap((cluster) =>
      eachCluster.map(([name, value]): Parameter => [`${cluster}.${name}`, value]),
    ),
    ...uartParameters(),
    ['bp.secureflashloader.fname', files.bl1],
    ['bp.flashloader0.fname', files.fip],
    ['cluster0.cpu0.semihosting-cwd', files.semihosting],
    ['bp.virtioblockdevice.image_path', files.rootfs],
  ];
}

const board: readonly Parameter[] = [
  ['bp.dram_size', '4'],
  ['bp.has_rme', '1'],
  ['bp.secure_memory', '0'],
  ['bp.vis.disable_visualisation', '1'],
  ['bp.refcounter.non_arch_start_at_default', '1'],
  ['bp.ve_sysregs.exit_on_shutdown', '1'],
  ['bp.virtio_rng.enabled', '1'],
  // `ip=dhcp` waits for a network; no port of this computer is forwarded into it.
  ['bp.smsc_91c111.enabled', '1'],
  ['bp.hostbridge.userNetworking', '1'],
  ['cache_state_modelled', '0'],
  ['pctl.startup', '0.0.0.0'],
];

const smmu: readonly Parameter[] = [
  ['pci.pci_smmuv3.mmu.SMMU_AIDR', '2'],
  ['pci.pci_smmuv3.mmu.SMMU_IDR0', '0x080FF6BF'],
  ['pci.pci_smmuv3.mmu.SMMU_IDR1', '0x0CE73D20'],
  ['pci.pci_smmuv3.mmu.SMMU_IDR3', '0x1714'],
  ['pci.pci_smmuv3.mmu.SMMU_IDR5', '0xFFFF0475'],
  ['pci.pci_smmuv3.mmu.SMMU_S_IDR1', '0xA0000002'],
  ['pci.pci_smmuv3.mmu.SMMU_S_IDR2', '0'],
  ['pci.pci_smmuv3.mmu.SMMU_S_IDR3', '0'],
  ['pci.pci_smmuv3.mmu.SMMU_ROOT_IDR0', '3'],
  ['pci.pci_smmuv3.mmu.SMMU_ROOT_IIDR', '0x43B'],
  ['pci.pci_smmuv3.mmu.root_register_page_offset', '0x20000'],
];

const eachCluster: readonly Parameter[] = [
  ['NUM_CORES', '4'],
  ['PA_SIZE', '48'],
  ['rme_support_level', '2'],
  ['output_attributes', 'ExtendedID[62:55]=MPAM_PMG,ExtendedID[54:39]=MPAM_PARTID,ExtendedID[38:37]=MPAM_SP'],
  ['restriction_on_speculative_execution', '2'],
  ['restriction_on_speculative_execution_aarch32', '2'],
  ['has_permission_indirection_s1', '2'],
  ['has_permission_indirection_s2', '2'],
  ['has_permission_overlay_s1', '2'],
  ['has_permission_overlay_s2', '2'],
  ...Array.from({ length: 7 }, (_, minor): Parameter => [`has_arm_v8-${minor + 1}`, '1']),
  ...Array.from({ length: 3 }, (_, minor): Parameter => [`has_arm_v9-${minor}`, '1']),
  ['max_32bit_el', '0'],
  ['has_sve', '1'],
  ['sve.has_sve2', '1'],
  ['sve.has_sme', '1'],
  ['has_branch_target_exception', '1'],
  ['has_rndr', '1'],
  ['ecv_support_level', '2'],
  ['enhanced_pac2_level', '3'],
  ['has_amu', '1'],
  ['has_large_va', '1'],
  ['has_16k_granule', '1'],
  ['has_large_system_ext', '1'],
  ['has_brbe', '1'],
  ['brbe_disable_recording', '1'],
  ['clear_reg_top_eret', '2'],
  ['stage12_tlb_size', '1024'],
  ['check_memory_attributes', '0'],
  ['gicv3.cpuintf-mmap-access-level', '2'],
  ['gicv3.without-DS-support', '1'],
  ['gicv4.mask-virtual-interrupt', '1'],
];
