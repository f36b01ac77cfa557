/**
 * What a test file may import: `import { petriTest, tmk } from 'petri-vm'`.
 *
 * @module
 */
export type {
  Backend,
  BackendLimits,
  EndReason,
  BootRequest,
  LaunchContext,
  Missing,
  ProbeResult,
  TmkEvent,
  VmBoot,
  VmRuntime,
} from './contract/backend.ts';
export { PetriError, type PetriErrorCode, type PetriErrorOptions, type PetriStep } from './errors.ts';
export {
  linux,
  linuxIsPrepared,
  tmk,
  type LinuxOptions,
  type LinuxPayload,
  type TmkOptions,
  type TmkPayload,
  type TmkTest,
} from './payload/index.ts';
export {
  SerialConsole,
  type SerialConsoleOptions,
  type SerialMatch,
  type SerialPattern,
  type WaitOptions,
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
  describeHalt,
  features,
  isolationTypes,
  launchVm,
  resolveVmConfig,
  type ExecOptions,
  type ExecResult,
  type BuiltinFeature,
  type Feature,
  type HaltKind,
  type HaltReason,
  type IsolationType,
  type LaunchOptions,
  type PlaneExit,
  type PlaneInspector,
  type RealmConfig,
  type RealmInspector,
  type Registers,
  type Ripas,
  type SymbolLocation,
  type TmkResult,
  type Vm,
  type VmBootSummary,
  type VmConfig,
  type VmOptions,
  type VmPayload,
  type VmSpec,
  type VmTmk,
} from './vm/index.ts';
