/**
 * What a backend may import: `import { type Backend, Supervisor } from 'petri-vm/backend'`. The contract between a
 * backend and the framework, and the kit that the built-in backends are made of. How to write a backend:
 * `docs/backends.md`.
 *
 * @module
 */

// The contract.
export {
  boots,
  cannotBoot,
  cannotIsolate,
  features,
  isolationTypes,
  tmkSpec,
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
  type BoardName,
  type ImageArgument,
  type ImageLoad,
  type ImagePayload,
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
  type TmkImage,
  type TmkPayload,
  type TmkSegment,
  type TmkTest,
  type VmBoot,
  type VmConfig,
  type VmPayload,
  type VmRuntime,
  type VmSpec,
} from './contract/index.ts';
export type { SymbolLocation } from './elf/index.ts';
export { PetriError, type PetriErrorCode, type PetriErrorOptions, type PetriStep } from './errors.ts';

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
  type ConsoleMark,
  type LineEnding,
  type SerialConsoleOptions,
  type SerialMatch,
  type SerialPattern,
  type TcpConsole,
  type TcpConsoleOptions,
  type WaitOptions,
} from './serial/index.ts';

// The kit: boots in stages, the words of a world that cannot go on, and the starts and the end of a VM.
export {
  BootError,
  crashesOn,
  edk2Crashes,
  initCrashes,
  linuxCrashes,
  rmmCrashes,
  stagedBoot,
  tfaCrashes,
  VmLife,
  type BootFailureKind,
  type BootReport,
  type BootStage,
  type CrashSignature,
  type StagedBootOptions,
  type StageTime,
} from './kit/boot/index.ts';
export { slowFactor } from './slow-factor.ts';

// The kit: TMKs, from their place in memory to their verdict.
export {
  COMMAND_ADDRESS,
  COMMAND_SIZE,
  encodeStartInput,
  imagePages,
  PayloadLocator,
  placeTmk,
  START_INPUT_SIZE,
  TmkChannel,
  TmkMonitor,
  type ImagePage,
  type LoadablePayload,
  type Location,
  type ReadGuestMemory,
  type TmkListener,
  type TmkPlacement,
  type TmkVerdict,
} from './tmk/index.ts';
