import type { Definition } from '../definition.ts';
import { acrossLanes } from './across-lanes.ts';
import { boundedRounding } from './bounded-rounding.ts';
import { byElement } from './by-element.ts';
import { complex } from './complex.ts';
import { copy } from './copy.ts';
import { dotProduct } from './dot-product.ts';
import { doublingAccumulate } from './doubling-accumulate.ts';
import { fpInteger } from './fp-integer.ts';
import { fpScalar } from './fp-scalar.ts';
import { fpTwoRegister } from './fp-two-register.ts';
import { fpVector } from './fp-vector.ts';
import { longProducts } from './long-products.ts';
import { permute } from './permute.ts';
import { shiftImmediate } from './shift-immediate.ts';
import { structures } from './structures.ts';
import { threeDifferent } from './three-different.ts';
import { threeSame } from './three-same.ts';
import { twoRegister } from './two-register.ts';

/**
 * Data processing and structure loads and stores of SIMD&FP registers (Arm ARM, C4.1.94 and C4.1.96): the base set of
 * Armv8.0 with FEAT_RDM, FEAT_DotProd, FEAT_I8MM, FEAT_FCMA, FEAT_FRINTTS, FEAT_JSCVT and FEAT_FP16.
 * Cryptographic instructions are in ../crypto.
 *
 * Floating point is computed in two places: see exactness.ts.
 */
export const simdDefinitions: readonly Definition[] = [
  ...threeSame,
  ...copy,
  ...permute,
  ...twoRegister,
  ...shiftImmediate,
  ...acrossLanes,
  ...threeDifferent,
  ...byElement,
  ...dotProduct,
  ...doublingAccumulate,
  ...structures,
  ...fpScalar,
  ...fpInteger,
  ...fpVector,
  ...fpTwoRegister,
  ...complex,
  ...boundedRounding,
  ...longProducts,
];
