/**
 * What a test file may import: `import { petriTest, tmk } from 'petri-vm'`.
 *
 * @module
 */
export {
  describeHalt,
  features,
  isolationTypes,
  type Backend,
  type BackendLimits,
  type BackendPace,
  type BootRequest,
  type BuiltinFeature,
  type EndReason,
  type ExecOptions,
  type ExecResult,
  type Feature,
  type GuestTimer,
  type HaltKind,
  type HaltReason,
  type HostControl,
  type HostReport,
  type HostUser,
  type IsolationType,
  type LaunchContext,
  type LinuxPayload,
  type Missing,
  type PlaneExit,
  type PlaneInspector,
  type PowerAction,
  type ProbeResult,
  type RealmConfig,
  type RealmInspector,
  type Registers,
  type Ripas,
  type TmkEvent,
  type TmkPayload,
  type TmkTest,
  type VmBoot,
  type VmConfig,
  type VmPayload,
  type VmRuntime,
  type VmSpec,
} from './contract/index.ts';
export { PetriError, type PetriErrorCode, type PetriErrorOptions, type PetriStep } from './errors.ts';
export { linux, linuxIsPrepared, tmk, type LinuxOptions, type TmkOptions } from './payload/index.ts';
export {
  SerialConsole,
  type Gap,
  type LineEnding,
  type SerialConsoleOptions,
  type SerialMatch,
  type SerialPattern,
  type WaitClock,
  type WaitOptions,
  type WaitTimer,
} from './serial/index.ts';
export { harmlessText } from './text/index.ts';
export {
  all,
  any,
  not,
  petriTest,
  type CombinedRequirement,
  type DeclarativeOptions,
  type HaltExpectation,
  type PetriExpectations,
  type PetriTest,
  type PetriTestBody,
  type PetriTestContext,
  type PetriTestFor,
  type PetriTestOptions,
  type Requirement,
  type VmLaunchOptions,
  type VmMatchers,
} from './vm-test/index.ts';
export {
  launchVm,
  resolveVmConfig,
  type LaunchOptions,
  type LinuxVm,
  type TmkVm,
  type Vm,
  type VmBootSummary,
  type VmOf,
  type VmOptions,
  type VmTmk,
} from './vm/index.ts';
export type { SymbolLocation } from './elf/index.ts';
export type { TmkResult } from './tmk/index.ts';
