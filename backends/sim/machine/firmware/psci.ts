import type { Vcpu } from '../../cpu/index.ts';
import type { Stateful } from '../device.ts';
import type { VcpuScheduler } from '../vcpu-scheduler.ts';
import { Arch, isFast64, NOT_SUPPORTED, serviceOf, type SmcArguments, SUCCESS } from './smccc.ts';

/** Functions of PSCI 1.1 (Arm DEN0022, chapter 5), by the number in bits 15:0 of their identifier. */
const Psci = {
  VERSION: 0,
  CPU_SUSPEND: 1,
  CPU_OFF: 2,
  CPU_ON: 3,
  AFFINITY_INFO: 4,
  MIGRATE_INFO_TYPE: 6,
  SYSTEM_OFF: 8,
  SYSTEM_RESET: 9,
  FEATURES: 0xa,
  SYSTEM_RESET2: 0x12,
} as const;
/** Functions with an SMC64 form. */
const with64: ReadonlySet<number> = new Set([Psci.CPU_SUSPEND, Psci.CPU_ON, Psci.AFFINITY_INFO, Psci.SYSTEM_RESET2]);
const functions: ReadonlySet<number> = new Set(Object.values(Psci));

const INVALID_PARAMETERS = -2n;
const ALREADY_ON = -4n;
const INVALID_ADDRESS = -9n;

const PSCI_1_1 = 0x1_0001n;
/** MIGRATE_INFO_TYPE: there is no Trusted OS to migrate. */
const NO_TRUSTED_OS = 2n;
const Affinity = { On: 0n, Off: 1n } as const;
/** `power_state` in the original format: StateType, and what must be zero beside PowerLevel and StateID. */
const PowerState = { PowerDown: 1n << 16n, Reserved: 0xfcfe_0000n } as const;
/** SYSTEM_RESET2: the only architectural type. */
const SYSTEM_WARM_RESET = 0n;
/** Aff3 and Aff2 to Aff0 of MPIDR_EL1; the other bits of a target are zero. */
const AFFINITY_MASK = 0xff_00ff_ffffn;
/** Bits of affinity that a level ignores: those of lower levels. */
const BELOW_LEVEL = [0n, 0xffn, 0xffffn, 0xff_ffffn] as const;

/** What a call does to the machine. */
export type SystemEvent =
  | { readonly kind: 'power-off' }
  /** A warm reset keeps memory (SYSTEM_RESET2). */
  | { readonly kind: 'reset'; readonly warm: boolean };

/** The machine, as seen by PSCI. */
export interface PsciMachine {
  /** All PEs, by their index in the machine. */
  readonly vcpus: readonly Vcpu[];
  readonly scheduler: VcpuScheduler;
  /**
   * Puts a vCPU into the state in which a PE begins to run after CPU_ON: reset, at the entry point, with the context
   * identifier in X0.
   */
  boot(vcpu: Vcpu, entry: bigint, context: bigint): void;
  /** Whether a PE can begin to run at an address: RAM or ROM. */
  isEntry(address: bigint): boolean;
}

interface Resumption {
  readonly entry: bigint;
  readonly context: bigint;
}

/** State of a `PowerControl`: where vCPUs in a power-down state continue, by index. */
export type PowerControlState = readonly (readonly [index: number, resumption: Resumption])[];

/** A result for X0, or what becomes of the machine; undefined if the vCPU does not go on. */
export type PsciResult = bigint | SystemEvent | undefined;

/** PSCI 1.1, except for the call itself: see `Firmware`. Takes over `onWake` of the scheduler. */
export class PowerControl implements Stateful<PowerControlState> {
  readonly #machine: PsciMachine;
  readonly #resumptions = new Map<Vcpu, Resumption>();

  constructor(machine: PsciMachine) {
    this.#machine = machine;
    machine.scheduler.onWake = (vcpu) => {
      const resumption = this.#resumptions.get(vcpu);
      this.#resumptions.delete(vcpu);
      if (resumption !== undefined) machine.boot(vcpu, resumption.entry, resumption.context);
    };
  }

  /** Whether a function is implemented. @param id of the PSCI range */
  has(id: number): boolean {
    const number = id & 0xffff;
    return functions.has(number) && (!isFast64(id) || with64.has(number));
  }

  /** @param id a function that `has` accepts */
  call(vcpu: Vcpu, id: number, args: SmcArguments): PsciResult {
    const [first, second, third] = args;
    switch (id & 0xffff) {
      case Psci.VERSION:
        return PSCI_1_1;
      case Psci.CPU_SUSPEND:
        return this.#suspend(vcpu, first, second, third);
      case Psci.CPU_OFF:
        this.#machine.scheduler.stop(vcpu);
        return undefined;
      case Psci.CPU_ON:
        return this.#on(first, second, third);
      case Psci.AFFINITY_INFO:
        return this.#affinityInfo(first, second);
      case Psci.MIGRATE_INFO_TYPE:
        return NO_TRUSTED_OS;
      case Psci.SYSTEM_OFF:
        return { kind: 'power-off' };
      case Psci.SYSTEM_RESET:
        return { kind: 'reset', warm: false };
      case Psci.FEATURES:
        return this.#features(Number(first & 0xffff_ffffn));
      case Psci.SYSTEM_RESET2:
        return first === SYSTEM_WARM_RESET ? { kind: 'reset', warm: true } : INVALID_PARAMETERS;
      default:
        return NOT_SUPPORTED;
    }
  }

  save(): PowerControlState {
    const { vcpus } = this.#machine;
    return [...this.#resumptions].map(([vcpu, resumption]) => [vcpus.indexOf(vcpu), resumption]);
  }

  restore(state: PowerControlState): void {
    this.#resumptions.clear();
    for (const [index, resumption] of state) {
      const vcpu = this.#machine.vcpus[index];
      if (vcpu !== undefined) this.#resumptions.set(vcpu, resumption);
    }
  }

  /** CPU_SUSPEND has no flags: the original format of power_state, coordinated by the platform. */
  #features(id: number): bigint {
    const has = id === Arch.VERSION || (serviceOf(id) === 'psci' && this.has(id));
    return has ? SUCCESS : NOT_SUPPORTED;
  }

  #on(target: bigint, entry: bigint, context: bigint): bigint {
    const vcpu = this.#find(target, 0).at(0);
    if (vcpu === undefined) return INVALID_PARAMETERS;
    if (!this.#isEntry(entry)) return INVALID_ADDRESS;
    const { scheduler } = this.#machine;
    if (scheduler.isOn(vcpu)) return ALREADY_ON;
    this.#machine.boot(vcpu, entry, context);
    scheduler.start(vcpu);
    return SUCCESS;
  }

  /** SUCCESS is what a standby state returns when it ends. */
  #suspend(vcpu: Vcpu, powerState: bigint, entry: bigint, context: bigint): bigint {
    if ((powerState & PowerState.Reserved) !== 0n || powerState > 0xffff_ffffn) return INVALID_PARAMETERS;
    if ((powerState & PowerState.PowerDown) !== 0n) {
      if (!this.#isEntry(entry)) return INVALID_ADDRESS;
      this.#resumptions.set(vcpu, { entry, context });
    }
    this.#machine.scheduler.suspend(vcpu);
    return SUCCESS;
  }

  #affinityInfo(target: bigint, level: bigint): bigint {
    if (level > 3n) return INVALID_PARAMETERS;
    const vcpus = this.#find(target, Number(level));
    if (vcpus.length === 0) return INVALID_PARAMETERS;
    return vcpus.some((vcpu) => this.#machine.scheduler.isOn(vcpu)) ? Affinity.On : Affinity.Off;
  }

  /** The vCPUs of an affinity instance. */
  #find(target: bigint, level: number): readonly Vcpu[] {
    if ((target & ~AFFINITY_MASK) !== 0n) return [];
    const below = BELOW_LEVEL[level] ?? 0n;
    return this.#machine.vcpus.filter(({ mpidr }) => ((BigInt(mpidr) & AFFINITY_MASK) | below) === (target | below));
  }

  #isEntry(address: bigint): boolean {
    return (address & 3n) === 0n && this.#machine.isEntry(address);
  }
}
