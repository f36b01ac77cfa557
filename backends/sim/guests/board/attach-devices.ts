import type { Clock } from '../../cpu/index.ts';
import {
  type Bus,
  type ByteSink,
  CfiFlash,
  type Device,
  type DeviceKind,
  EmptyEcam,
  FwCfg,
  GenericWatchdog,
  type Gic,
  type GuestMemory,
  type InterruptLine,
  type MachineMap,
  MemoryMappedTimer,
  Pl011,
  Pl031,
  Pl061,
  PowerController,
  Sp804,
  Sp805,
  Sp810,
  type Stateful,
  VexpressSysreg,
  type VirtioDevice,
  VirtioMmio,
  type Window,
} from '../../machine/index.ts';

/** What devices are connected to. */
export interface DeviceParts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly gic: Gic;
  readonly memory: GuestMemory;
  readonly vcpus: number;
  /** Banks of flash whose memory exists, and what is to be called when one begins or ends to read as its contents. */
  readonly flash: readonly { readonly bank: Window; readonly onMode: (readable: boolean) => void }[];
  /** Where the UARTs write to, in the order of the map; what others write is lost, as on a board without a cable. */
  readonly outputs: readonly ByteSink[];
  /** What is in the slots of virtio-mmio, in the order of the map; the others are empty. */
  readonly virtio: readonly (VirtioDevice | undefined)[];
  /** Whether a PE with affinity fields is on; undefined if there is none. */
  readonly isOn: (affinity: number) => boolean | undefined;
  /** Called when a device resets the machine, such as a watchdog. */
  readonly reset: () => void;
  /** Called when a device switches the machine off. */
  readonly shutdown: () => void;
}

/** The devices of a machine. */
export interface AttachedDevices {
  /** In the order of the map. */
  readonly uarts: readonly Pl011[];
  /** Every device with state, in the order of the map. */
  readonly stateful: readonly Stateful[];
}

/** Makes the devices of one place, one for each of its windows. */
type Factory = (parts: DeviceParts, interrupts: readonly InterruptLine[], made: MadeBefore) => Made;

interface Made {
  readonly windows: readonly Device[];
  readonly states?: readonly Stateful[];
}

/** What was made of the places before. */
interface MadeBefore {
  readonly uarts: Pl011[];
  readonly slots: VirtioMmio[];
}

/** A line that leads nowhere: a place may have fewer interrupts than its device. */
const UNCONNECTED: InterruptLine = { set: () => undefined };

const NO_CABLE: ByteSink = { byte: () => undefined, bytes: () => undefined };

function one(device: Device & Stateful): Made {
  return { windows: [device], states: [device] };
}

/** Kinds that are not here are in maps only: a guest finds nothing at their addresses. */
const factories: Partial<Record<DeviceKind, Factory>> = {
  pl011: ({ clock, outputs }, [interrupt = UNCONNECTED], { uarts }) => {
    const uart = new Pl011({ clock, interrupt, output: outputs[uarts.length] ?? NO_CABLE });
    uarts.push(uart);
    return one(uart);
  },
  pl031: ({ clock }, [interrupt = UNCONNECTED]) => one(new Pl031({ clock, interrupt })),
  pl061: ({ clock }, [interrupt = UNCONNECTED]) => one(new Pl061({ clock, interrupt })),
  sp804: ({ clock }, [interrupt = UNCONNECTED]) => one(new Sp804({ clock, interrupt })),
  sp805: ({ clock, reset }, [interrupt = UNCONNECTED]) => one(new Sp805({ clock, interrupt, reset })),
  sp810: () => one(new Sp810()),
  'virtio-mmio': ({ clock, memory, virtio }, [interrupt = UNCONNECTED], { slots }) => {
    const device = virtio[slots.length];
    const slot = new VirtioMmio({ clock, interrupt, memory, ...(device !== undefined && { device }) });
    slots.push(slot);
    return one(slot);
  },
  'cfi-flash': ({ memory, flash }) => {
    const banks = flash.map(({ bank, onMode }) => new CfiFlash({ memory, ...bank, onMode }));
    return { windows: banks, states: banks };
  },
  'pcie-ecam': () => ({ windows: [new EmptyEcam()] }),
  'fw-cfg': ({ memory, vcpus }) => one(new FwCfg({ memory, vcpus })),
  'vexpress-sysreg': ({ clock, shutdown, reset }) => one(new VexpressSysreg({ clock, shutdown, reset })),
  'fvp-power-controller': ({ isOn }) => one(new PowerController({ isOn })),
  'generic-watchdog': ({ clock, reset }, [interrupt = UNCONNECTED]) => {
    const watchdog = new GenericWatchdog({ clock, interrupt, reset });
    return { windows: [watchdog.control, watchdog.refresh], states: [watchdog] };
  },
  'memory-mapped-timer': ({ clock }, interrupts) => {
    const timer = new MemoryMappedTimer({ clock, interrupts });
    return { windows: [timer.controlBase, timer.readBase, timer.ctlBase, ...timer.bases], states: [timer] };
  },
};

/** Puts the devices of a map on a bus. */
export function attachDevices(map: MachineMap, parts: DeviceParts): AttachedDevices {
  const before: MadeBefore = { uarts: [], slots: [] };
  const stateful: Stateful[] = [];
  for (const { kind, windows, spis } of map.places) {
    const interrupts = spis.map((spi) => parts.gic.spi(spi));
    const made = factories[kind]?.(parts, interrupts, before);
    if (made === undefined) continue;
    for (const [index, window] of windows.entries()) {
      const device = made.windows[index];
      if (device !== undefined) parts.bus.attach(window, device);
    }
    stateful.push(...(made.states ?? []));
  }
  return { uarts: before.uarts, stateful };
}
