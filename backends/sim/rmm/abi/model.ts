/**
 * Which behaviour the RMM has where TF-RMM (tag `rmm-spec-v1.x-aligned`, RMM_V1_1) deviates from the RMM specification.
 * docs/simulated-rmm.md lists the differences.
 */
export type RmmModel = 'specification' | 'tf-rmm';
