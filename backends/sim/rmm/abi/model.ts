/**
 * Whose answers the RMM gives where TF-RMM (tag `rmm-spec-v1.x-aligned`, RMM_V1_1) does not do what the RMM
 * specification says: docs/simulated-rmm.md lists the differences.
 */
export type RmmModel = 'specification' | 'tf-rmm';
