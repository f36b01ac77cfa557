import { bootOnce } from './warm-up.ts';

export { launch } from './launch.ts';

/** Boots after which the first VM of a test costs little more than the hundredth: each takes a millisecond or two. */
const BOOTS = 24;

/** Readies the process for its first VM: compiles the engine and everything on the way to a guest. */
export function warmUp(): void {
  for (let boot = 0; boot < BOOTS; boot += 1) bootOnce();
}
