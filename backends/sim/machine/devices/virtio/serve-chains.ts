import type { Chain } from './chain.ts';
import type { VirtioDriver } from './virtio-device.ts';

/**
 * Takes the chains of a queue and gives each back.
 *
 * @param serve returns how many writable bytes it wrote
 */
export function serveChains(driver: VirtioDriver, queue: number, serve: (chain: Chain) => number): void {
  for (let chain = driver.take(queue); chain !== undefined; chain = driver.take(queue)) {
    driver.give(queue, chain, serve(chain));
  }
}
