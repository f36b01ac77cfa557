import { backend } from '../backends/sim/index.ts';
import { hello, Realms } from './realm.ts';

/**
 * One launch in a fresh process whose imports are done and whose backend is prepared, as a worker's is before its first
 * test: prints the milliseconds of importing and preparing, and those from launch to the first byte.
 */
export async function main(directory: string): Promise<void> {
  const start = performance.now();
  await backend.prepare?.();
  const prepared = performance.now() - start;
  const payload = hello();
  console.log(JSON.stringify([prepared, await new Realms(directory).firstByte(payload)]));
}
