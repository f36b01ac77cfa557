import type { HaltReason } from '../../contract/index.ts';
import { panicWords } from '../boot/index.ts';

/** @param message what the kernel printed about it */
export function kernelPanic(message: string): HaltReason {
  return { reason: 'panic', message, location: 'kernel' };
}

/**
 * Why Linux reset its machine: it does after a panic with `panic=-1`.
 *
 * @param words the end of its output
 */
export function afterReset(words: string): HaltReason {
  const panic = panicWords(words);
  return panic === undefined ? { reason: 'reset' } : kernelPanic(panic);
}
