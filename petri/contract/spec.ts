import type { ImagePayload, LinuxPayload, TmkPayload } from './payload.ts';
import { PetriError } from '../errors.ts';
import type { IsolationType } from './isolation.ts';

/** VM configuration with every default filled in. Sizes are in bytes. */
export interface VmConfig {
  /** RAM of the VM: of the whole realm for `cca`, of which the payload gets its own part. Multiple of 2 MiB. */
  readonly memory: number;
  /** Virtual CPUs: RECs of a realm. 1 to 512. */
  readonly vcpus: number;
  /** Auxiliary planes of a realm (RmiRealmParams.num_aux_planes): 1 to 3. The payload runs in plane 1. */
  readonly planes: number;
  /** Bits of intermediate physical address (RmiRealmParams.s2sz): 32 to 48. The upper half is unprotected. */
  readonly ipaWidth: number;
  /** Hash of the realm's measurements (RmiRealmParams.hash_algo). */
  readonly measurementAlgorithm: 'sha-256' | 'sha-512';
  /** Realm Personalization Value: up to 64 bytes, padded with zeros. */
  readonly rpv: Uint8Array;
  /** Which answers a simulated RMM gives where TF-RMM differs from the RMM specification. */
  readonly rmm: 'specification' | 'tf-rmm';
  /** Instructions after which the VM is ended with `budget`; needs the feature `instruction-budget`. */
  readonly maxInstructions: number;
  /** Bytes of each console that are kept on disk. */
  readonly consoleLimit: number;
  /** What passes while a simulated board waits for a time: nothing, or that time on the host. */
  readonly time: 'counted' | 'wall';
}

/** What a VM can boot. */
export type VmPayload = TmkPayload | LinuxPayload | ImagePayload;

/** Everything a backend needs to know to make one VM. */
export interface VmSpec<P extends VmPayload = VmPayload> {
  /** How the VM is isolated from its host. */
  readonly isolation: IsolationType;
  /** What it boots. */
  readonly payload: P;
  /** Its size and the like, within the backend's limits. */
  readonly config: VmConfig;
  /**
   * Whether the VM may run on a machine that other tests have used: `shared` lets one boot of an emulated or real
   * platform serve many tests. A backend that makes every VM from nothing has no choice to make.
   */
  readonly machine: 'shared' | 'fresh';
  /** What the machine must have as its tags, where a backend has several machines to choose from. @default none */
  readonly hostTags?: readonly string[];
}

/** Whether a VM boots a payload of a kind. */
export function boots<K extends VmPayload['kind']>(
  spec: VmSpec,
  kind: K,
): spec is VmSpec<Extract<VmPayload, Record<'kind', K>>> {
  return spec.payload.kind === kind;
}

/**
 * A specification as a backend takes it that has no feature but `tmk`.
 *
 * @param backend its name
 * @throws PetriError `unsupported` for another payload
 */
export function tmkSpec(backend: string, spec: VmSpec): VmSpec<TmkPayload> {
  if (boots(spec, 'tmk')) return spec;
  throw cannotBoot(backend, spec);
}

/**
 * That a backend makes no VMs of an isolation type.
 *
 * @param remedy which it makes, as a clause such as `it makes 'cca'`
 */
export function cannotIsolate(backend: string, isolation: IsolationType, remedy: string): PetriError {
  return new PetriError(`${backend} cannot make a VM of isolation type '${isolation}'`, {
    code: 'unsupported',
    step: 'launch',
    remedy,
  });
}

/** That a backend does not boot a payload of its kind. */
export function cannotBoot(backend: string, { payload }: VmSpec): PetriError {
  return new PetriError(`backend '${backend}' cannot boot a payload of kind '${payload.kind}'`, {
    code: 'unsupported',
    step: 'launch',
    remedy: `list '${payload.kind}' in the test's \`requires\`, so that it is skipped here`,
  });
}
