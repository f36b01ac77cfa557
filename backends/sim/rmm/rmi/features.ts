import { HashAlgorithm } from '../abi/status.ts';
import { GIC_LIST_REGISTERS } from '../rec/vgic.ts';

/** Limits of this RMM. It has no LPA2, SVE, PMU, device assignment or memory encryption contexts. */
export const Limits = {
  minIpaWidth: 32,
  maxIpaWidth: 48,
  breakpoints: 6,
  watchpoints: 4,
  maxAuxPlanes: 3,
  /** RECs in a realm: 2^4 - 1. */
  maxRecsOrder: 4,
  /** Auxiliary granules of each REC. */
  recAuxCount: 16,
} as const;

/** Only one RTT tree for all planes. */
const PLANE_RTT_SINGLE = 2;

/** RmiFeatureRegister0 of 1.1 (RMM specification, B4.4). The other registers are zero. */
export const FEATURE_REGISTER_0 =
  Limits.maxIpaWidth +
  (Limits.breakpoints - 1) * 2 ** 14 +
  (Limits.watchpoints - 1) * 2 ** 20 +
  2 ** (32 + HashAlgorithm.Sha256) +
  2 ** (32 + HashAlgorithm.Sha512) +
  (GIC_LIST_REGISTERS - 1) * 2 ** 34 +
  Limits.maxRecsOrder * 2 ** 38 +
  PLANE_RTT_SINGLE * 2 ** 43 +
  Limits.maxAuxPlanes * 2 ** 45 +
  2 ** 49;
