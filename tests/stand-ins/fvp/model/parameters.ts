/** Parameters of each cluster that realms need. */
const clusterParameters = [
  'NUM_CORES',
  'PA_SIZE',
  'rme_support_level',
  'output_attributes',
  'restriction_on_speculative_execution',
  'restriction_on_speculative_execution_aarch32',
  'has_permission_indirection_s1',
  'has_permission_indirection_s2',
  'has_permission_overlay_s1',
  'has_permission_overlay_s2',
  'mec_support_level',
  'rme_mecid_width',
  'has_arm_v8-1',
  'has_arm_v8-2',
  'has_arm_v8-3',
  'has_arm_v8-4',
  'has_arm_v8-5',
  'has_arm_v8-6',
  'has_arm_v8-7',
  'has_arm_v9-0',
  'has_arm_v9-1',
  'has_arm_v9-2',
  'max_32bit_el',
  'has_sve',
  'sve.has_sve2',
  'sve.has_sme',
  'has_branch_target_exception',
  'has_rndr',
  'ecv_support_level',
  'enhanced_pac2_level',
  'has_amu',
  'has_large_va',
  'has_16k_granule',
  'has_large_system_ext',
  'has_brbe',
  'has_brbe_v1p1',
  'brbe_disable_recording',
  'clear_reg_top_eret',
  'gicv3.cpuintf-mmap-access-level',
  'gicv3.without-DS-support',
  'gicv4.mask-virtual-interrupt',
  'stage12_tlb_size',
  'check_memory_attributes',
  'cpu0.semihosting-cwd',
];

const terminalParameters = ['start_telnet', 'terminal_command', 'mode', 'start_port', 'quiet'];

const uartParameters = ['out_file', 'unbuffered_output', 'in_file', 'shutdown_on_eot', 'shutdown_tag', 'untimed_fifos'];

const boardParameters = [
  'bp.has_rme',
  'bp.secure_memory',
  'bp.mpe.enable',
  'bp.dram_size',
  'bp.secureflashloader.fname',
  'bp.flashloader0.fname',
  'bp.flashloader1.fname',
  'bp.virtioblockdevice.image_path',
  'bp.virtiop9device.root_path',
  'bp.smsc_91c111.enabled',
  'bp.hostbridge.userNetworking',
  'bp.hostbridge.userNetPorts',
  'bp.virtio_net.enabled',
  'bp.virtio_net.hostbridge.userNetworking',
  'bp.virtio_rng.enabled',
  'bp.vis.disable_visualisation',
  'bp.ve_sysregs.exit_on_shutdown',
  'bp.refcounter.non_arch_start_at_default',
  'cache_state_modelled',
  'pctl.startup',
  'pci.hierarchy_file_name',
];

const smmuParameter =
  /^pci\.pci_smmuv3\.mmu\.(SMMU_(R_|S_|ROOT_)?(AIDR|IDR\d|IIDR)|root_register_page_offset|size_of_(tlb|gpttlb))$/;

const numbered = [0, 1, 2, 3];

const names: ReadonlySet<string> = new Set([
  ...[0, 1].flatMap((cluster) => clusterParameters.map((name) => `cluster${cluster}.${name}`)),
  ...numbered.flatMap((index) => terminalParameters.map((name) => `bp.terminal_${index}.${name}`)),
  ...numbered.flatMap((index) => uartParameters.map((name) => `bp.pl011_uart${index}.${name}`)),
  ...boardParameters,
]);

/**
 * Whether the model has a parameter of this name. The real one has hundreds more: only those that our records name
 * count here.
 */
export function isParameter(name: string): boolean {
  return names.has(name) || smmuParameter.test(name);
}

/** In the form of `--list-params`. */
export function listParameters(): string {
  return [...names]
    .sort()
    .map((name) => `${name}=\n`)
    .join('');
}
