import type { DeviceTreeNode } from '../device-tree/index.ts';
import type { Window } from '../bus.ts';

/** Devices that a map can have, by the name of the part. */
export type DeviceKind =
  | 'pl011'
  | 'pl031'
  | 'pl061'
  | 'sp804'
  | 'sp805'
  | 'sp810'
  | 'generic-watchdog'
  | 'memory-mapped-timer'
  | 'virtio-mmio'
  | 'cfi-flash'
  | 'fw-cfg'
  | 'vexpress-sysreg'
  | 'fvp-power-controller'
  | 'pcie-ecam';

/** Where a device is. */
export interface Place {
  readonly kind: DeviceKind;
  /** Its windows, in the order in which its device tree node has them. */
  readonly windows: readonly Window[];
  /** Shared peripheral interrupts, numbered as in a device tree: INTID - 32. */
  readonly spis: readonly number[];
}

export interface GicPlaces {
  readonly distributor: Window;
  /** All redistributors, 128 KiB for each PE. */
  readonly redistributors: Window;
  readonly its: Window;
}

/** A kind of board: its addresses and interrupts, and the device tree that describes it. */
export interface MachineMap {
  readonly name: 'virt' | 'base';
  readonly maxVcpus: number;
  readonly maxMemory: number;
  /** What 32 bits read as where the map has nothing. */
  readonly unknown: number;
  readonly gic: GicPlaces;
  readonly places: readonly Place[];
  /** MPIDR_EL1 of a vCPU. */
  mpidr(vcpu: number): number;
  /** RAM for a total size, in the order in which it is filled. @param bytes a multiple of 4 KiB, at most `maxMemory` */
  ram(bytes: number): readonly Window[];
  deviceTree(options: DeviceTreeOptions): DeviceTreeNode;
}

/** What a device tree says besides what the map does. */
export interface DeviceTreeOptions {
  readonly vcpus: number;
  /** Bytes of RAM. */
  readonly memory: number;
  readonly psci: 'hvc' | 'smc';
  /** Whether the guest starts at EL2, which has timers and a maintenance interrupt. @default false */
  readonly el2?: boolean;
  /** @default false */
  readonly its?: boolean;
  /** Whether the PMU of each vCPU is described. @default false */
  readonly pmu?: boolean;
  readonly bootargs?: string;
  /** Addresses of the initial RAM disk. */
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Bytes for the guest's random number generator: /chosen/rng-seed. */
  readonly rngSeed?: Uint8Array;
  /** Bytes for the guest's choice of addresses, 8 of them: /chosen/kaslr-seed. */
  readonly kaslrSeed?: Uint8Array;
}

/** The places of one kind. */
export function placesOf(map: Pick<MachineMap, 'places'>, kind: DeviceKind): readonly Place[] {
  return map.places.filter((place) => place.kind === kind);
}
