/**
 * What a backend may import: `import { type Backend, Supervisor } from 'petri-vm/backend'`. The contract between a
 * backend and the framework, and the kit that the built-in backends are made of. How to write a backend:
 * `docs/backends.md`.
 *
 * @module
 */

// The contract.
export type {
  Backend,
  BackendLimits,
  BackendPace,
  BootRequest,
  EndReason,
  GuestTimer,
  HostControl,
  HostReport,
  HostUser,
  LaunchContext,
  Missing,
  PowerAction,
  ProbeResult,
  TmkEvent,
  VmBoot,
  VmRuntime,
} from './contract/backend.ts';
export { features, type BuiltinFeature, type Feature } from './contract/features.ts';
export type { HaltKind, HaltReason, SymbolLocation } from './contract/halt.ts';
export type { PlaneExit, PlaneInspector, RealmConfig, RealmInspector, Registers, Ripas } from './contract/inspect.ts';
export { isolationTypes, type IsolationType } from './contract/isolation.ts';
export {
  boots,
  cannotBoot,
  cannotIsolate,
  tmkSpec,
  type VmConfig,
  type VmPayload,
  type VmSpec,
} from './contract/spec.ts';
export type { LinuxPayload, TmkImage, TmkPayload, TmkSegment, TmkTest } from './payload/index.ts';
export { PetriError, type PetriErrorCode, type PetriErrorOptions, type PetriStep } from './errors.ts';
export type { ExecOptions, ExecResult } from './vm/exec.ts';

// The kit: processes, folders, containers, places and ports that are not left behind.
export {
  Supervisor,
  type ContainerRegistration,
  type ContainerRuntime,
  type ProcessExit,
  type Slot,
  type SlotWait,
  type SpawnOptions,
  type StopOptions,
  type StopReport,
  type SupervisedProcess,
  type TemporaryFolder,
} from './kit/process/index.ts';

// The kit: consoles.
export {
  connectConsole,
  SerialConsole,
  type LineEnding,
  type SerialConsoleOptions,
  type SerialMatch,
  type SerialPattern,
  type TcpConsole,
  type TcpConsoleOptions,
  type WaitOptions,
} from './serial/index.ts';

// The kit: boots in stages, and the words of a world that cannot go on.
export {
  BootError,
  crashesOn,
  edk2Crashes,
  initCrashes,
  linuxCrashes,
  rmmCrashes,
  slowFactor,
  stagedBoot,
  tfaCrashes,
  type BootFailureKind,
  type BootReport,
  type BootStage,
  type CrashSignature,
  type StagedBootOptions,
  type StageTime,
} from './kit/boot/index.ts';

// The kit: TMKs, from their place in memory to their verdict.
export { TmkChannel, type TmkListener, type TmkVerdict } from './tmk/channel.ts';
export { haltOfVerdict } from './tmk/halt-of-verdict.ts';
export { imagePages, placeTmk, type ImagePage, type LoadablePayload, type TmkPlacement } from './tmk/load-image.ts';
export { PayloadLocator, type Location } from './tmk/locator.ts';
export {
  COMMAND_ADDRESS,
  COMMAND_SIZE,
  encodeStartInput,
  START_INPUT_SIZE,
  type ReadGuestMemory,
} from './tmk/protocol.ts';
