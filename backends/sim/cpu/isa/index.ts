import type { Definition } from './definition.ts';
import { branches } from './branches.ts';
import { dpImmediate } from './dp-immediate.ts';
import { dpRegister } from './dp-register.ts';
import { atomics, exclusives } from './exclusives.ts';
import { commonSequences } from './common-sequences.ts';
import { memoryOperations } from './memory-operations.ts';
import { flags } from './flags.ts';
import { authenticatedBranches, pacStripping, pointerAuthentication } from './pointer-authentication.ts';
import { orderedLoadsStores } from './ordered-loads-stores.ts';
import { orderedPairs, orderedVectors } from './ordered-vectors-and-pairs.ts';
import { loadsStores, simdLoadsStores } from './loads-stores.ts';
import { system } from './system.ts';
import { simdDefinitions } from './simd/index.ts';
import { cryptoDefinitions } from './crypto/index.ts';

/** Instructions that use general-purpose registers only. The first row that matches and decodes is the instruction. */
export const generalDefinitions: readonly Definition[] = [
  ...branches,
  ...authenticatedBranches,
  ...dpImmediate,
  ...dpRegister,
  ...commonSequences,
  ...pointerAuthentication,
  ...pacStripping,
  ...loadsStores,
  ...exclusives,
  ...atomics,
  ...orderedLoadsStores,
  ...orderedPairs,
  ...memoryOperations,
  ...flags,
  ...system,
];

/** Instructions that use SIMD&FP registers, and so need access to them. */
export const simdAndFpDefinitions: readonly Definition[] = [
  ...simdLoadsStores,
  ...orderedVectors,
  ...simdDefinitions,
  ...cryptoDefinitions,
];
