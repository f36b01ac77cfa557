import type { PlaneExit, Registers } from './inspect.ts';

/** Position of an address in the payload, when its ELF file has a symbol for it. */
export interface SymbolLocation {
  readonly name: string;
  /** Bytes from the start of the symbol. */
  readonly offset: number;
}

/**
 * Why a VM stopped. One of these is what `vm.halted` resolves to; it never rejects for something the guest did.
 *
 * - `complete`: the TMK sent its Complete command (tmk_protocol; OpenVMM `tmk/tmk_protocol/src/lib.rs`)
 * - `panic`: the TMK sent its Panic command
 * - `fault`: the guest did something that its paravisor cannot continue from: a plane exit that nothing serves
 * - `power-off`, `reset`: the guest asked for it through PSCI
 * - `budget`: `maxInstructions` was used up; `location` says where the guest was
 * - `timeout`: the deadline passed; `location` says where the guest was
 * - `stopped`: the test or the framework stopped it
 * - `backend-lost`: the backend itself failed; `message` says how
 */
export type HaltReason =
  | { readonly reason: 'complete'; readonly success: boolean }
  | {
      readonly reason: 'panic';
      readonly message: string;
      /** `file:line`, as the guest gave it. */
      readonly location: string;
    }
  | {
      readonly reason: 'fault';
      /** One sentence: which exit, at which address, why nothing could be done. */
      readonly message: string;
      /** The decoded exit; absent where the VM has no planes. */
      readonly exit?: PlaneExit;
      /** Where the backend can see them. */
      readonly registers?: Registers;
      readonly symbol?: SymbolLocation;
    }
  | { readonly reason: 'power-off' }
  | { readonly reason: 'reset' }
  | {
      readonly reason: 'budget' | 'timeout';
      readonly message: string;
      readonly registers?: Registers;
      readonly symbol?: SymbolLocation;
    }
  | { readonly reason: 'stopped' }
  | { readonly reason: 'backend-lost'; readonly message: string };

export type HaltKind = HaltReason['reason'];
