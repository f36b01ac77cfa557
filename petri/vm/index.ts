export type { VmBootSummary } from './boot-run.ts';
export { resolveVmConfig, vmOptionNames, type VmOptions } from './config.ts';
export { launchController, launchVm, type LaunchOptions } from './launch.ts';
export type { VmTmk } from './vm-tmk.ts';
export { ImageVm, LinuxVm, TmkVm, Vm, vmOf, type VmOf } from './vm.ts';
export type { VmSnapshot } from './vm-snapshot.ts';
export type { VmController } from './vm-controller.ts';
