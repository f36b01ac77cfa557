import { accessBytes } from '../../../petri/kit/arm/index.ts';
import { POINTER_BYTES, type TmkMonitor } from '../../../petri/tmk/index.ts';
import { BoundedLog } from '../../../petri/text/index.ts';
import type { HaltReason, PlaneExit } from '../../../petri/contract/index.ts';
import { ExceptionClass } from '../cpu/index.ts';
import {
  GPR_COUNT,
  type Plane0Port,
  type Plane0Program,
  type Plane0Step,
  PlaneEnter,
  PlaneEnterFlag,
  PlaneExit as ExitField,
  PlaneExitReason,
  Rsi,
} from '../rmm/index.ts';
import { Access, faultIpa, serveAccess, storedAddress } from './data-abort.ts';
import { ExitLog } from './exit-log.ts';
import { describeInstructionAbort, describeUnserved, ripasName } from './faults.ts';
import { GuestReader } from './guest-reader.ts';
import { launchPlane, PLANE, type PlaneLaunch } from './plane-launch.ts';
import { locate } from './plane0-memory.ts';
import { Plane0Failure, rsiStatusName, smc, tryRsi } from './rsi-client.ts';

/** How a run of plane 1 ended, as seen by plane 0. */
export type PlaneOutcome =
  /** The guest ended its run by a command. */
  | { readonly kind: 'verdict'; readonly halt: HaltReason }
  /** An exit after which plane 0 cannot continue. */
  | { readonly kind: 'fault'; readonly message: string; readonly exit: PlaneExit }
  /** The RMM or the host denied plane 0 something that it needs. */
  | { readonly kind: 'lost'; readonly message: string };

/** The core's dependencies. */
export interface PlaneRunEnvironment {
  readonly monitor: TmkMonitor;
  /** Adds a line to the VM's log. */
  readonly log: (message: string) => void;
  /** Called every few exits and after every command, so that a guest that only exits cannot exceed its time slice. */
  pulse(): void;
}

/** Exits between two pulses. An exit takes a few microseconds. */
const EXITS_PER_PULSE = 32;
/** More than the pages of one command block and its two longest strings. */
const MAX_COMMAND_PAGES = 64;

/** Result of `#serve`. */
const Served = { Yes: 0, No: 1, Command: 2, InstructionAbort: 3 } as const;
type Served = (typeof Served)[keyof typeof Served];

/** Offsets in the run page, in 32-bit words. */
const words = {
  enterFlags: PlaneEnter.flags >> 2,
  enterPc: PlaneEnter.pc >> 2,
  enterGprs: PlaneEnter.gprs >> 2,
  enterHcr: PlaneEnter.gicv3Hcr >> 2,
  reason: ExitField.reason >> 2,
  pc: ExitField.pc >> 2,
  pstate: ExitField.pstate >> 2,
  esr: ExitField.esr >> 2,
  far: ExitField.far >> 2,
  hpfar: ExitField.hpfar >> 2,
  exitGprs: ExitField.gprs >> 2,
  exitHcr: ExitField.gicv3Hcr >> 2,
} as const;
const GPR_WORDS = 2 * GPR_COUNT;

/**
 * Plane 0 in TypeScript: does what OpenHCL and tmk_vmm do on a real realm. It enters plane 1 repeatedly and serves its
 * exits until plane 1 sends Complete or Panic, or plane 0 cannot continue.
 */
export class PlaneRunCore {
  readonly exits = new ExitLog();
  readonly #launch: PlaneLaunch;
  readonly #environment: PlaneRunEnvironment;
  readonly #interrupts: BoundedLog;
  readonly #smcs: BoundedLog;
  #ipaWidth = 0;
  /** The last store to the command address: size in bytes and value, which is exact if it can be an address. */
  #commandBytes = 0;
  #commandPointer = 0;
  #outcome: PlaneOutcome | undefined;

  constructor(launch: PlaneLaunch, environment: PlaneRunEnvironment) {
    this.#launch = launch;
    this.#environment = environment;
    const { log } = environment;
    this.#interrupts = new BoundedLog('interrupts', log);
    this.#smcs = new BoundedLog('SMC', log);
  }

  /** Set once plane 1 has ended, after which plane 0 stays parked. */
  get outcome(): PlaneOutcome | undefined {
    return this.#outcome;
  }

  readonly program: Plane0Program = (port) => this.#run(port);

  *#run(port: Plane0Port): Generator<Plane0Step, never, void> {
    try {
      const facts = yield* launchPlane(port, this.#launch);
      this.#ipaWidth = facts.ipaWidth;
      this.#outcome = yield* this.#runPlane(port);
    } catch (error) {
      if (!(error instanceof Plane0Failure)) throw error;
      this.#outcome = { kind: 'lost', message: `plane 0: ${error.message}` };
    }
    for (;;) {
      this.#environment.pulse();
      yield { kind: 'park' };
    }
  }

  /** The loop of OpenHCL's CcaBacked processor: enter, copy the exit's registers, serve. */
  *#runPlane(port: Plane0Port): Generator<Plane0Step, PlaneOutcome, void> {
    const { runPage } = this.#launch;
    const { monitor } = this.#environment;
    const x = new Uint32Array(port.x.buffer, port.x.byteOffset, port.x.length * 2);
    for (let untilPulse = EXITS_PER_PULSE; ; untilPulse--) {
      x[0] = Rsi.PLANE_ENTER;
      x[1] = 0;
      x[2] = Number(PLANE);
      x[3] = 0;
      x[4] = runPage;
      x[5] = 0;
      yield smc;
      if (x[0] !== 0 || x[1] !== 0) throw new Plane0Failure(`RSI_PLANE_ENTER gave ${rsiStatusName(port.x[0] ?? 0n)}`);
      let offset = port.locate(runPage, true);
      if (offset < 0) offset = yield* locate(port, runPage, true);
      switch (this.#serve(port.linear.u32, offset >>> 2)) {
        case Served.Yes:
          break;
        case Served.Command: {
          yield* this.#command(port);
          const { halt } = monitor;
          if (halt !== undefined) return { kind: 'verdict', halt };
          untilPulse = 0;
          break;
        }
        case Served.InstructionAbort:
          return yield* this.#instructionAbort(port);
        case Served.No:
          return this.#fault((exit) => describeUnserved(exit));
      }
      if (untilPulse <= 0) {
        this.#environment.pulse();
        untilPulse = EXITS_PER_PULSE;
      }
    }
  }

  /**
   * Serves the exit in the run page, if that needs only the run page.
   *
   * @param memory view of the memory that holds the run page
   * @param page index of its first word
   */
  #serve(memory: Uint32Array, page: number): Served {
    this.exits.record(memory, page, words);
    // OpenHCL copies GPRs, PC and ICH_HCR_EL2, and leaves PSTATE and the list registers unchanged.
    const gprs = page + words.enterGprs;
    memory.copyWithin(gprs, page + words.exitGprs, page + words.exitGprs + GPR_WORDS);
    copyDoubleword(memory, page + words.pc, page + words.enterPc);
    copyDoubleword(memory, page + words.exitHcr, page + words.enterHcr);

    const reason = memory[page + words.reason] ?? 0;
    if (memory[page + words.reason + 1] !== 0 || reason > PlaneExitReason.Irq) return Served.No;
    if (reason === PlaneExitReason.Irq) {
      if (this.#interrupts.open) this.#interrupts.add('plane 1 exited because of an interrupt, which is not handled');
      return Served.Yes;
    }
    switch ((memory[page + words.esr] ?? 0) >>> 26) {
      case ExceptionClass.DataAbortLower:
        return this.#serveDataAbort(memory, page, gprs);
      case ExceptionClass.SimdFp:
        memory[page + words.enterFlags] = (memory[page + words.enterFlags] ?? 0) & ~PlaneEnterFlag.trapSimd;
        return Served.Yes;
      case ExceptionClass.Smc64:
        // The RMM has advanced the PC past the SMC (TF-RMM for RMM 1.1 does, for 2.0 it does not).
        if (this.#smcs.open) this.#smcs.add(`plane 1: ${this.#summary()} is not served; it continues`);
        return Served.Yes;
      case ExceptionClass.InstructionAbortLower:
        return Served.InstructionAbort;
      default:
        return Served.No;
    }
  }

  #serveDataAbort(memory: Uint32Array, page: number, gprs: number): Served {
    const esr = memory[page + words.esr] ?? 0;
    const ipa = faultIpa(
      memory[page + words.hpfar] ?? 0,
      memory[page + words.hpfar + 1] ?? 0,
      memory[page + words.far] ?? 0,
    );
    const access = serveAccess(this.#environment.monitor, memory, gprs, esr, ipa, this.#summary);
    if (access === Access.Refused) return Served.No;
    advance(memory, page + words.enterPc, 4);
    if (access === Access.Done) return Served.Yes;
    this.#commandBytes = accessBytes(esr);
    this.#commandPointer = storedAddress(memory, gprs, esr);
    return Served.Command;
  }

  /** Serves the store to the command address that `#serveDataAbort` recorded. */
  *#command(port: Plane0Port): Generator<Plane0Step, void, void> {
    const { channel } = this.#environment.monitor;
    if (this.#commandBytes !== POINTER_BYTES) {
      channel.rejectStore(this.#commandBytes);
      return;
    }
    for (let page = 0; page < MAX_COMMAND_PAGES; page++) {
      const reader = new GuestReader(port, this.#launch.ram);
      const event = channel.decode(this.#commandPointer, reader.read);
      if (reader.unmapped < 0) {
        channel.accept(event);
        return;
      }
      yield* locate(port, reader.unmapped, false);
    }
    throw new Plane0Failure('the host keeps unmapping pages while a command is read');
  }

  *#instructionAbort(port: Plane0Port): Generator<Plane0Step, PlaneOutcome, void> {
    const { ipa } = this.#lastExit();
    const page = (ipa ?? 0n) & ~0xfffn;
    const status = yield* tryRsi(port, 'IPA_STATE_GET', page, page + 0x1000n);
    const ripas = status === 0n ? ripasName(Number(port.x[2])) : undefined;
    return this.#fault((exit) => describeInstructionAbort(exit, this.#ipaWidth, ripas));
  }

  readonly #summary = (): string => this.#lastExit().summary;

  #fault(describe: (exit: PlaneExit) => string): PlaneOutcome {
    const exit = this.#lastExit();
    return { kind: 'fault', message: describe(exit), exit };
  }

  #lastExit(): PlaneExit {
    const exit = this.exits.latest();
    if (exit === undefined) throw new Plane0Failure('an exit was served before any was recorded');
    return exit;
  }
}

function copyDoubleword(memory: Uint32Array, from: number, to: number): void {
  memory[to] = memory[from] ?? 0;
  memory[to + 1] = memory[from + 1] ?? 0;
}

/** Adds to the 64-bit value at `at`, as two words with a carry. */
function advance(memory: Uint32Array, at: number, bytes: number): void {
  const low = (memory[at] ?? 0) + bytes;
  memory[at] = low;
  if (low > 0xffff_ffff) memory[at + 1] = (memory[at + 1] ?? 0) + 1;
}
