export type { HaltExpectation, PetriExpectations } from './expectation.ts';
export type { VmMatchers } from './matchers.ts';
import './matchers.ts';
export type { DeclarativeOptions, PetriTestOptions, VmLaunchOptions } from './options.ts';
export { petriTest, type PetriTest, type PetriTestFor } from './petri-test.ts';
export type { PetriTestBody, PetriTestContext } from './run-test.ts';
export { all, any, not, type CombinedRequirement, type Requirement } from './requirement.ts';
export { incapable } from './skip-reason.ts';
