import type { CAC } from 'cac';

/** Adds `petri tmk …` to the command line. */
export function registerTmkCommands(_cli: CAC): void {}
