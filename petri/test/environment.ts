import type { Backend, ProbeResult } from '../backend.ts';
import type { IsolationType } from '../vm/isolation.ts';

/** What the runner's setup file tells `petriTest` about the run. */
export interface TestEnvironment {
  selectedBackend(): Promise<{ readonly backend: Backend; readonly probe: ProbeResult & { readonly available: true } }>;
  /** Empty: all of them. */
  selectedIsolation(): readonly IsolationType[];
  /** Absolute path of this run's folder, which exists. */
  runDirectory(): string;
}

let environment: TestEnvironment | undefined;

export function setTestEnvironment(to: TestEnvironment): void {
  environment = to;
}

export function testEnvironment(): TestEnvironment | undefined {
  return environment;
}
