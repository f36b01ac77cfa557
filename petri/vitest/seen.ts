import { shared } from '../shared.ts';

const own = shared('configuration', () => ({ seen: false }));

/** Whether a vitest in this process had our plugin, which evaluates `--backend`. */
export function configurationSeen(): boolean {
  return own.seen;
}

export function markConfigurationSeen(): void {
  own.seen = true;
}
