import type { SymbolLocation } from '../elf/index.ts';
import type { PlaneExit, Registers } from './inspect.ts';

/**
 * Why a VM stopped. One of these is what `vm.halted` resolves to; it never rejects for something the guest did.
 *
 * - `complete`: the TMK sent its Complete command (tmk_protocol; OpenVMM `tmk/tmk_protocol/src/lib.rs`)
 * - `panic`: the TMK sent its Panic command
 * - `fault`: the guest did something that its paravisor cannot continue from: a plane exit that nothing serves
 * - `power-off`, `reset`: the guest asked for it through PSCI
 * - `budget`: `maxInstructions` was used up; `message` says where the guest was, `registers` and `symbol` where the
 *   backend sees it
 * - `timeout`: the deadline passed; as for `budget`
 * - `stopped`: the test or the framework stopped it
 * - `backend-lost`: the backend itself failed; `message` says how
 */
export type HaltReason =
  | {
      /** The TMK sent Complete. */
      readonly reason: 'complete';
      /** Whether it said that its test passed. */
      readonly success: boolean;
    }
  | {
      /** The TMK sent Panic. */
      readonly reason: 'panic';
      /** The guest's own words. */
      readonly message: string;
      /** `file:line`, as the guest gave it. */
      readonly location: string;
    }
  | {
      /** An exit or exception that nothing serves. */
      readonly reason: 'fault';
      /** One sentence: which exit, at which address, why nothing could be done. */
      readonly message: string;
      /** The decoded exit; absent where the VM has no planes. */
      readonly exit?: PlaneExit;
      /** Where the backend can see them. */
      readonly registers?: Registers;
      /** Where the guest was, if its ELF file has a symbol there. */
      readonly symbol?: SymbolLocation;
    }
  | {
      /** The guest called PSCI SYSTEM_OFF. */
      readonly reason: 'power-off';
    }
  | {
      /** The guest called PSCI SYSTEM_RESET. */
      readonly reason: 'reset';
    }
  | {
      /** The guest was ended because it ran for too long, by instructions or by time. */
      readonly reason: 'budget' | 'timeout';
      /** Which limit it was, and where the guest was. */
      readonly message: string;
      /** Where the backend can see them. */
      readonly registers?: Registers;
      /** Where the guest was, if its ELF file has a symbol there. */
      readonly symbol?: SymbolLocation;
    }
  | {
      /** The test or the framework ended it. */
      readonly reason: 'stopped';
    }
  | {
      /** The backend failed; nothing is known of the guest. */
      readonly reason: 'backend-lost';
      /** How it failed. */
      readonly message: string;
    };

/** The kinds of `HaltReason`. */
export type HaltKind = HaltReason['reason'];
