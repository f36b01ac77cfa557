import type { Clock } from '../../cpu/index.ts';
import {
  type Bus,
  type ByteSink,
  type Device,
  type DeviceKind,
  GenericWatchdog,
  type Gic,
  type InterruptLine,
  type MachineMap,
  MemoryMappedTimer,
  Pl011,
  Pl031,
  Pl061,
  Sp804,
  Sp805,
  type Stateful,
} from '../../machine/index.ts';

/** What devices are connected to. */
export interface DeviceParts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly gic: Gic;
  /** Where the UARTs write to, in the order of the map; those without are left out. */
  readonly outputs: readonly ByteSink[];
  /** Called when a watchdog resets the machine. */
  readonly reset: () => void;
}

/** The devices of a machine. */
export interface AttachedDevices {
  /** In the order of the map. */
  readonly uarts: readonly Pl011[];
  /** Every device with state, in the order of the map. */
  readonly stateful: readonly Stateful[];
}

/** Makes the devices of one place, one for each of its windows. */
type Factory = (parts: DeviceParts, interrupts: readonly InterruptLine[], uarts: Pl011[]) => Made | undefined;

interface Made {
  readonly windows: readonly Device[];
  readonly state: Stateful;
}

/** A line that leads nowhere: a place may have fewer interrupts than its device. */
const UNCONNECTED: InterruptLine = { set: () => undefined };

function one(device: Device & Stateful): Made {
  return { windows: [device], state: device };
}

/** Kinds that are not here are in maps only: a guest finds nothing at their addresses. */
const factories: Partial<Record<DeviceKind, Factory>> = {
  pl011: ({ clock, outputs }, [interrupt = UNCONNECTED], uarts) => {
    const output = outputs[uarts.length];
    if (output === undefined) return undefined;
    const uart = new Pl011({ clock, interrupt, output });
    uarts.push(uart);
    return one(uart);
  },
  pl031: ({ clock }, [interrupt = UNCONNECTED]) => one(new Pl031({ clock, interrupt })),
  pl061: ({ clock }, [interrupt = UNCONNECTED]) => one(new Pl061({ clock, interrupt })),
  sp804: ({ clock }, [interrupt = UNCONNECTED]) => one(new Sp804({ clock, interrupt })),
  sp805: ({ clock, reset }, [interrupt = UNCONNECTED]) => one(new Sp805({ clock, interrupt, reset })),
  'generic-watchdog': ({ clock, reset }, [interrupt = UNCONNECTED]) => {
    const watchdog = new GenericWatchdog({ clock, interrupt, reset });
    return { windows: [watchdog.control, watchdog.refresh], state: watchdog };
  },
  'memory-mapped-timer': ({ clock }, interrupts) => {
    const timer = new MemoryMappedTimer({ clock, interrupts });
    return { windows: [timer.controlBase, timer.readBase, timer.ctlBase, ...timer.bases], state: timer };
  },
};

/** Puts the devices of a map on a bus. */
export function attachDevices(map: MachineMap, parts: DeviceParts): AttachedDevices {
  const uarts: Pl011[] = [];
  const stateful: Stateful[] = [];
  for (const { kind, windows, spis } of map.places) {
    const interrupts = spis.map((spi) => parts.gic.spi(spi));
    const made = factories[kind]?.(parts, interrupts, uarts);
    if (made === undefined) continue;
    for (const [index, window] of windows.entries()) {
      const device = made.windows[index];
      if (device !== undefined) parts.bus.attach(window, device);
    }
    stateful.push(made.state);
  }
  return { uarts, stateful };
}
