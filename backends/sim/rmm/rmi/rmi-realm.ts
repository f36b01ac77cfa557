import { GRANULE_SIZE } from '../../machine/index.ts';
import { RealmFlag, RealmFlag1, RealmParams } from '../abi/realm-params.ts';
import { readNumber } from '../abi/register-file.ts';
import { HashAlgorithm, RmiStatus } from '../abi/status.ts';
import { GranuleState } from '../realm/granule.ts';
import { Realm, type RealmOptions, RealmState } from '../realm/realm.ts';
import { isConsistentRoot } from '../realm/rtt.ts';
import { Limits } from './features.ts';
import type { RmiCall } from './rmi-call.ts';

const RPV_BYTES = 64;
const WIDENED_FIELDS = [RealmParams.s2sz, RealmParams.numBps, RealmParams.numWps] as const;

/** All defined bits of `RealmParams.flags` and `flags1`; the others are SBZ and ignored. */
const FLAGS = Object.values(RealmFlag).reduce((all, bit) => all | bit, 0);
const FLAGS1 = Object.values(RealmFlag1).reduce((all, bit) => all | bit, 0);

/**
 * Parses RmiRealmParams; undefined if they are malformed or ask for a missing feature. Fields whose flag is clear, and
 * those of absent features (`sve_vl`, `pmu_num_ctrs`, `mecid`), are ignored (RMM specification, B1.6).
 */
function parseParams(view: DataView, at: number, asTfRmm: boolean): RealmOptions | undefined {
  const u8 = (field: number) => view.getUint8(at + field);
  const u16 = (field: number) => view.getUint16(at + field, true);
  const number = (field: number) => readNumber(view, at + field);

  const ipaWidth = u8(RealmParams.s2sz);
  const numAuxPlanes = number(RealmParams.numAuxPlanes);
  const atsPlane = number(RealmParams.atsPlane);
  const hashAlgorithm = u8(RealmParams.hashAlgorithm);
  const numBps = u8(RealmParams.numBps);
  const numWps = u8(RealmParams.numWps);
  const flags1 = view.getUint32(at + RealmParams.flags1, true) & FLAGS1;

  if ((view.getUint32(at + RealmParams.flags, true) & FLAGS) !== 0) return undefined;
  // TF-RMM reads these three fields with a greater width than specified.
  if (asTfRmm && WIDENED_FIELDS.some((field) => u8(field + 1) !== 0)) return undefined;
  if (ipaWidth < Limits.minIpaWidth || ipaWidth > Limits.maxIpaWidth) return undefined;
  if (numBps === 0 || numBps >= Limits.breakpoints || numWps === 0 || numWps >= Limits.watchpoints) return undefined;
  if (hashAlgorithm !== HashAlgorithm.Sha256 && hashAlgorithm !== HashAlgorithm.Sha512) return undefined;
  if (numAuxPlanes < 0 || numAuxPlanes > Limits.maxAuxPlanes) return undefined;
  if (atsPlane < 0 || atsPlane > numAuxPlanes) return undefined;
  if ((flags1 & RealmFlag1.rttTreePerPlane) !== 0) return undefined;
  const s2apIndirect = (flags1 & RealmFlag1.s2apIndirect) !== 0;
  if (numAuxPlanes > 0 && !s2apIndirect) return undefined;

  const root = {
    ipaWidth,
    startLevel: number(RealmParams.rttLevelStart),
    base: number(RealmParams.rttBase),
    count: view.getUint32(at + RealmParams.rttNumStart, true),
  };
  if (!isConsistentRoot(ipaWidth, root.startLevel, root.count)) return undefined;
  if (root.base < 0 || root.base % (root.count * GRANULE_SIZE) !== 0) return undefined;

  const vmids = [u16(RealmParams.vmid)];
  for (let plane = 0; plane < numAuxPlanes; plane++) vmids.push(u16(RealmParams.auxVmid + plane * 2));
  if (new Set(vmids).size !== vmids.length) return undefined;

  const rpv = new Uint8Array(RPV_BYTES);
  for (let n = 0; n < RPV_BYTES; n++) rpv[n] = u8(RealmParams.rpv + n);
  return { root, hashAlgorithm, numAuxPlanes, atsPlane, rpv, vmids, s2apIndirect };
}

/** RMI_REALM_CREATE. */
export function realmCreate({ state }: RmiCall, rd: number, params: number): number {
  const { granules, memory } = state;
  if (!granules.isNormal(params)) return RmiStatus.ErrorInput;
  const options = parseParams(state.view, memory.offsetOf(params), state.asTfRmm);
  if (options === undefined || options.vmids.some((vmid) => state.vmids.has(vmid))) return RmiStatus.ErrorInput;
  const { base, count } = options.root;
  for (let table = 0; table < count; table++) {
    const pa = base + table * GRANULE_SIZE;
    if (pa === rd || !state.isDelegated(pa)) return RmiStatus.ErrorInput;
  }
  if (!state.isDelegated(rd)) return RmiStatus.ErrorInput;

  for (let table = 0; table < count; table++) {
    granules.set(base + table * GRANULE_SIZE, GranuleState.Rtt);
    granules.wipe(base + table * GRANULE_SIZE);
  }
  granules.set(rd, GranuleState.Rd);
  for (const vmid of options.vmids) state.vmids.add(vmid);
  const realm = new Realm(rd, options, memory, granules, state.cpu);
  realm.measurements.initialize(state.page(params));
  state.realms.set(rd, realm);
  return RmiStatus.Success;
}

/** RMI_REALM_ACTIVATE. */
export function realmActivate({ state }: RmiCall, rd: number): number {
  const realm = state.realm(rd);
  if (realm === undefined) return RmiStatus.ErrorInput;
  if (realm.state !== RealmState.New) return RmiStatus.ErrorRealm;
  realm.state = RealmState.Active;
  return RmiStatus.Success;
}

/** RMI_REALM_DESTROY. */
export function realmDestroy({ state }: RmiCall, rd: number): number {
  const realm = state.realm(rd);
  if (realm === undefined) return RmiStatus.ErrorInput;
  if (state.recsOf(realm).some((rec) => rec !== undefined) || realm.rtt.isRootLive) return RmiStatus.ErrorRealm;
  const { base, count } = realm.options.root;
  realm.invalidate(0, realm.rtt.ipaTop);
  for (let table = 0; table < count; table++) state.granules.set(base + table * GRANULE_SIZE, GranuleState.Delegated);
  state.granules.set(rd, GranuleState.Delegated);
  for (const vmid of realm.options.vmids) state.vmids.delete(vmid);
  state.realms.delete(rd);
  return RmiStatus.Success;
}
