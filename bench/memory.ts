import { tmk, type Vm } from '../petri/index.ts';
import { Realms } from './realm.ts';

const COUNT = 32;

/** Prints the resident bytes that one more running realm takes, in a process that has the collector at hand. */
export async function main(directory: string): Promise<void> {
  const realms = new Realms(directory);
  const payload = tmk('loop');
  const test = payload.image.tests[0]?.name;
  const vms: Vm[] = [];
  const launch = async (): Promise<void> => {
    const vm = await realms.launch(payload, test);
    vms.push(vm);
    await vm.serial.waitFor('running test');
  };
  await launch();
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  for (let index = 0; index < COUNT; index += 1) await launch();
  globalThis.gc?.();
  console.log((process.memoryUsage.rss() - before) / COUNT);
  await Promise.all(vms.map(async (vm) => await vm.dispose()));
}
