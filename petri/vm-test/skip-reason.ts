import {
  type Backend,
  type ProbeResult,
  beyondLimits,
  type IsolationType,
  type VmConfig,
  type VmPayload,
} from '../contract/index.ts';
import { resolveVmConfig } from '../vm/index.ts';
import { vmOptionsOf, type PetriTestOptions } from './options.ts';
import { unmet, type Requirement } from './requirement.ts';
import type { SkipCause } from '../run/index.ts';

export interface Demand {
  readonly isolation: IsolationType;
  readonly requires: Requirement;
}

/** Why a test does not run, as it is reported and counted. */
export interface Skip {
  readonly cause: SkipCause;
  readonly reason: string;
}

/** What of a backend decides which tests it runs. */
export type DecidingBackend = Pick<Backend, 'name' | 'refuses'>;

/** What a test asks for that decides whether a backend can run it. */
export interface TestDemand {
  readonly isolation: IsolationType;
  readonly options: PetriTestOptions;
  /** Name of the test inside the TMK, where it is only for a Linux plane 0. */
  readonly linuxOnly: string | undefined;
  /** Gives what the VM boots; not called for a test that is skipped without it. */
  payload(): VmPayload | undefined;
}

/**
 * Whether a backend runs a test: the one decision of runs and of `petri list`.
 *
 * @throws PetriError for options that no VM can be made of
 */
export function skipOn(backend: DecidingBackend, probe: ProbeResult, demand: TestDemand): Skip | undefined {
  const { isolation, options } = demand;
  const cannot = (reason: string | undefined, cause: SkipCause = 'backend'): Skip | undefined =>
    reason === undefined ? undefined : { cause, reason };
  // What a function gives is known when it is called, and it may give nothing where there is no VM to make.
  const kind = typeof options.payload === 'object' ? [options.payload.kind] : [];
  const requires = [...kind, options.requires ?? []];
  const shortcoming = incapable(backend.name, probe, { isolation, requires }) ?? beyondPlane0(demand);
  if (shortcoming !== undefined) return cannot(shortcoming, lacksHere(probe, isolation) ? 'host' : 'backend');
  const payload = demand.payload();
  if (payload === undefined) return undefined;
  const unsuited = incapable(backend.name, probe, { isolation, requires: [payload.kind] });
  if (unsuited !== undefined) return cannot(unsuited);
  const config = resolveVmConfig(vmOptionsOf(options));
  return cannot(tooLarge(backend.name, probe, config) ?? refusal(backend, demand, payload, config));
}

function refusal(
  backend: DecidingBackend,
  { isolation, options }: TestDemand,
  payload: VmPayload,
  config: VmConfig,
): string | undefined {
  const { machine = 'shared', hostTags } = options;
  return backend.refuses?.({ isolation, payload, config, machine, ...(hostTags === undefined ? {} : { hostTags }) });
}

/** The realms' plane 0 is OpenHCL's Linux, or behaves as it does; a plain VM has none. */
function beyondPlane0({ isolation, linuxOnly }: TestDemand): string | undefined {
  if (linuxOnly === undefined || isolation === 'cca') return undefined;
  return `'${linuxOnly}' needs Linux in plane 0, and isolation type '${isolation}' has no plane 0`;
}

function lacksHere(probe: ProbeResult, isolation: IsolationType): boolean {
  return !probe.available || (probe.isolation[isolation] === undefined && probe.lacking?.[isolation] !== undefined);
}

/** Why tests of an isolation type are not to run, by what the user selected. */
export function unselected(
  isolation: IsolationType,
  selected: readonly IsolationType[] | undefined,
): string | undefined {
  if (selected === undefined || selected.length === 0 || selected.includes(isolation)) return undefined;
  return `isolation type '${isolation}' is not selected: --isolation=${selected.join(',')}`;
}

/** Why a backend cannot run a test, in a sentence that names what is missing. */
export function incapable(backend: string, probe: ProbeResult, { isolation, requires }: Demand): string | undefined {
  if (!probe.available)
    return `backend '${backend}' cannot run here: ${probe.missing.map(({ what }) => what).join(', ')}`;
  const features = probe.isolation[isolation];
  const lacking = probe.lacking?.[isolation];
  if (features === undefined && lacking !== undefined) {
    return `backend '${backend}' does not make VMs of isolation type '${isolation}' here: ${lacking.map(({ what }) => what).join(', ')}`;
  }
  if (features === undefined) {
    const types = Object.keys(probe.isolation).map((type) => `'${type}'`);
    return `backend '${backend}' does not make VMs of isolation type '${isolation}': it makes ${types.join(', ') || 'none'}`;
  }
  const why = unmet(requires, features);
  return why === undefined ? undefined : `backend '${backend}' ${why} for isolation type '${isolation}'`;
}

/** Why a backend cannot make a VM of this size. */
function tooLarge(backend: string, probe: ProbeResult, config: VmConfig): string | undefined {
  const why = probe.available ? beyondLimits(`backend '${backend}'`, probe.limits, config) : undefined;
  return why === undefined ? undefined : `the test ${why}`;
}
