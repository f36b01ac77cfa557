import { isDeepStrictEqual } from 'node:util';
import type { VmPayload, VmSpec } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import type { ConsoleMark } from '../serial/index.ts';

/** What a snapshot holds. */
interface Contents {
  readonly backend: string;
  readonly spec: VmSpec;
  /** The backend's. */
  readonly state: unknown;
  readonly consoles: ReadonlyMap<string, ConsoleMark>;
}

/** The state of a VM at one moment, made by `vm.snapshot()`. It outlives its VM and never changes. */
export class VmSnapshot {
  readonly #contents: Contents;

  /** @internal Snapshots are made by VMs. */
  constructor(contents: Contents) {
    this.#contents = contents;
  }

  /**
   * What a VM goes on with.
   *
   * @throws PetriError `invalid-option` where it was made of another kind of VM
   * @internal
   */
  contentsFor(backend: string, spec: VmSpec): Contents {
    const contents = this.#contents;
    const other = difference(contents, backend, spec);
    if (other === undefined) return contents;
    throw new PetriError(`the snapshot is of a VM with another ${other}`, {
      code: 'invalid-option',
      step: 'run',
      remedy: 'restore it in VMs that are launched with the same options as the one that it was made of',
    });
  }
}

function difference(contents: Contents, backend: string, { isolation, payload, config }: VmSpec): string | undefined {
  const { spec } = contents;
  if (contents.backend !== backend) return 'backend';
  if (spec.isolation !== isolation) return 'isolation type';
  if (!isDeepStrictEqual(identity(spec.payload), identity(payload))) return 'payload';
  return isDeepStrictEqual(spec.config, config) ? undefined : 'configuration';
}

/** What says whether two payloads are the same: all but the contents of their files. */
function identity(payload: VmPayload): unknown {
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => isPlain(value)));
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || (Array.isArray(value) && value.every((part) => typeof part !== 'object'));
}
