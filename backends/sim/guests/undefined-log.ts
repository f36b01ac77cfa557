import type { PayloadLocator } from '../../../petri/tmk/index.ts';
import { BoundedLog } from '../../../petri/text/index.ts';
import type { Cpu } from '../cpu/index.ts';

/** Logs each undefined instruction that a guest executes, including those that the engine does not implement. */
export function logUndefined(cpu: Cpu, locator: PayloadLocator, log: (message: string) => void): void {
  const lines = new BoundedLog('undefined instructions', log);
  cpu.onUndefined = (word, pc) => {
    if (lines.open)
      lines.add(`undefined instruction 0x${word.toString(16).padStart(8, '0')} at ${locator.locate(pc).text}`);
  };
}
