import type { HaltReason } from '../contract/halt.ts';
import type { TmkVerdict } from './channel.ts';

export function haltOfVerdict(verdict: TmkVerdict): HaltReason {
  if (verdict.kind === 'complete') return { reason: 'complete', success: verdict.success };
  return { reason: 'panic', message: verdict.message, location: `${verdict.file}:${verdict.line}` };
}
