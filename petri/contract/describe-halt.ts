import { harmlessLine } from '../text/index.ts';
import type { HaltReason } from './halt.ts';
import type { SymbolLocation } from '../elf/index.ts';
import type { Registers } from './inspect.ts';

/** Why a VM halted, in one harmless line without a full stop, such as `panic at src/main.rs:3: out of memory`. */
export function describeHalt(halt: HaltReason): string {
  return harmlessLine(describe(halt));
}

function describe(halt: HaltReason): string {
  switch (halt.reason) {
    case 'complete':
      return `complete (${halt.success ? 'success' : 'failure'})`;
    case 'panic':
      return `panic at ${halt.location}: ${halt.message}`;
    case 'fault':
      return `fault${place(halt.registers, halt.symbol)}: ${halt.message}`;
    case 'budget':
    case 'timeout':
      return `${halt.reason}${place(halt.registers, halt.symbol)}: ${halt.message}`;
    case 'backend-lost':
      return `backend-lost: ${halt.message}`;
    case 'power-off':
    case 'reset':
    case 'stopped':
      return halt.reason;
  }
}

function place(registers: Registers | undefined, symbol: SymbolLocation | undefined): string {
  if (registers === undefined) return '';
  const pc = `0x${registers.pc.toString(16)}`;
  return symbol === undefined ? ` at ${pc}` : ` at ${pc} (${symbol.name}+0x${symbol.offset.toString(16)})`;
}
