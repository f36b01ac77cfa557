export { bootSigns, hostAgentStage, hostCrashes } from './boot-signs.ts';
export { HOST_CONSOLE, type HostMachine, type HostPlatform, type HostStart, type RunBudgets } from './host-platform.ts';
export { RealmVm } from './realm-vm.ts';
export { sessionPool } from './session-pool.ts';
export { TapConsole } from './tap-console.ts';
