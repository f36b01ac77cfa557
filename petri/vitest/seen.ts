/**
 * Whether a vitest in this process had our plugin, and so honoured `--backend`. On `globalThis`, because the command
 * and the configuration file may have loaded this module through different loaders.
 */
const seenKey = Symbol.for('petri-vm.configuration-seen');
const shared = globalThis as { [seenKey]?: boolean };

export function configurationSeen(): boolean {
  return shared[seenKey] ?? false;
}

export function markConfigurationSeen(): void {
  shared[seenKey] = true;
}
