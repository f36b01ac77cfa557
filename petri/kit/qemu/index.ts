export { linuxHalt, linuxLimits, linuxMachineArguments, type LinuxMachine } from './linux-machine.ts';
export { optionValue } from './option-value.ts';
export { stopAndLook, type ProcessorState } from './processor-state.ts';
export { QmpClient, type QmpEvent, type QmpOptions } from './qmp.ts';
