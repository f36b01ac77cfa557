import { baseMap } from './base.ts';
import type { MachineMap } from './map.ts';
import { virtMap } from './virt.ts';

export { type DeviceKind, type DeviceTreeOptions, type MachineMap, type Place, placesOf } from './map.ts';

export type MachineName = MachineMap['name'];

/** The kinds of boards, by name. */
export const machineMaps: Readonly<Record<MachineName, MachineMap>> = { virt: virtMap, base: baseMap };
