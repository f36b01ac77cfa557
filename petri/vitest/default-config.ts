import { definePetriConfig } from './config.ts';

/** For `petri test` in a project without a vitest configuration. */
export default definePetriConfig();
