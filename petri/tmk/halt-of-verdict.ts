import type { HaltReason } from '../contract/index.ts';
import type { TmkVerdict } from './channel.ts';

/** The halt reason of a VM whose TMK sent Complete or Panic. */
export function haltOfVerdict(verdict: TmkVerdict): HaltReason {
  if (verdict.kind === 'complete') return { reason: 'complete', success: verdict.success };
  return { reason: 'panic', message: verdict.message, location: `${verdict.file}:${verdict.line}` };
}
