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
} from './backend.ts';
export { DEFAULT_MAX_INSTRUCTIONS, defaultIpaWidth } from './default-config.ts';
export { describeHalt } from './describe-halt.ts';
export type { ExecOptions, ExecResult } from './exec.ts';
export { type BuiltinFeature, declareFeatures, type Feature, features, knownFeatures } from './features.ts';
export type { HaltKind, HaltReason } from './halt.ts';
export type { PlaneExit, PlaneInspector, RealmConfig, RealmInspector, Registers, Ripas } from './inspect.ts';
export { type IsolationType, isIsolationType, isolationTypes } from './isolation.ts';
export { beyondLimits } from './limits.ts';
export type {
  BoardName,
  ImageArgument,
  ImageLoad,
  ImagePayload,
  LinuxPayload,
  TmkImage,
  TmkPayload,
  TmkSegment,
  TmkTest,
} from './payload.ts';
export { boots, cannotBoot, cannotIsolate, tmkSpec, type VmConfig, type VmPayload, type VmSpec } from './spec.ts';
export { checkVcpu } from './vcpu.ts';
