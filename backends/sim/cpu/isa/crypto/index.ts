import type { Definition } from '../definition.ts';
import { aes } from './aes.ts';
import { polynomial } from './polynomial.ts';
import { sha1 } from './sha1.ts';
import { sha256 } from './sha256.ts';

/** Cryptographic instructions: FEAT_AES, FEAT_PMULL, FEAT_SHA1 and FEAT_SHA256. */
export const cryptoDefinitions: readonly Definition[] = [...aes, ...polynomial, ...sha1, ...sha256];
