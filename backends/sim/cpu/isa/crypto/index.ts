import type { Definition } from '../definition.ts';
import { aes } from './aes.ts';
import { polynomial } from './polynomial.ts';
import { sha1 } from './sha1.ts';
import { sha256 } from './sha256.ts';
import { sha3 } from './sha3.ts';
import { sha512 } from './sha512.ts';
import { sm3 } from './sm3.ts';
import { sm4 } from './sm4.ts';

/**
 * Cryptographic instructions: FEAT_AES, FEAT_PMULL, FEAT_SHA1, FEAT_SHA256, FEAT_SHA512, FEAT_SHA3, FEAT_SM3 and
 * FEAT_SM4.
 */
export const cryptoDefinitions: readonly Definition[] = [
  ...aes,
  ...polynomial,
  ...sha1,
  ...sha256,
  ...sha512,
  ...sha3,
  ...sm3,
  ...sm4,
];
