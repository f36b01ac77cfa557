import type { Definition } from '../definition.ts';

/** Data processing and structure loads and stores of SIMD&FP registers (Arm ARM, C4.1.96). */
export const simdDefinitions: readonly Definition[] = [];
