import { hello, Realms } from './realm.ts';

/** One launch in a fresh process, whose imports are done: prints the milliseconds to its first byte. */
export async function main(directory: string): Promise<void> {
  const realms = new Realms(directory);
  console.log(await realms.firstByte(hello()));
}
