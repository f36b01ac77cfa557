export { Bus, type BusOptions, type UnknownAccess, type Window } from './bus.ts';
export { completeWait } from './complete-wait.ts';
export type { AccessBytes, Device, GuestMemory, InterruptLine, Stateful } from './device.ts';
export { BufferedSink, type ByteSink } from './devices/uart/byte-sink.ts';
export { Pl011 } from './devices/uart/pl011.ts';
export { Uart16550 } from './devices/uart/uart16550.ts';
export { Pl031 } from './devices/rtc/pl031.ts';
export { Pl061 } from './devices/gpio/pl061.ts';
export { MemoryMappedTimer } from './devices/timer/memory-mapped-timer.ts';
export { Sp804 } from './devices/timer/sp804.ts';
export { GenericWatchdog } from './devices/watchdog/generic-watchdog.ts';
export { Sp805 } from './devices/watchdog/sp805.ts';
export { FwCfg } from './devices/firmware-configuration/fw-cfg.ts';
export { CfiFlash } from './devices/flash/cfi-flash.ts';
export { EmptyEcam } from './devices/pcie/empty-ecam.ts';
export { PowerController } from './devices/vexpress/power-controller.ts';
export { Sp810 } from './devices/vexpress/sp810.ts';
export { VexpressSysreg } from './devices/vexpress/sysreg.ts';
export { VirtioBlock } from './devices/virtio/block.ts';
export { type ConsolePort, VirtioConsole } from './devices/virtio/console.ts';
export { type Disk, FileImage, memoryImage, OverlayDisk } from './devices/virtio/disk.ts';
export { VirtioEntropy } from './devices/virtio/entropy.ts';
export type { VirtioDevice } from './devices/virtio/virtio-device.ts';
export { VirtioMmio } from './devices/virtio/virtio-mmio.ts';
export { Gic, VIRT_GIC } from './devices/gic/gic.ts';
export {
  cellsOf,
  decodeDeviceTree,
  type DecodedNode,
  encodeDeviceTree,
  nodeAt,
  stringsOf,
} from './device-tree/index.ts';
export { machineMaps, type MachineMap, type MachineName, placesOf } from './maps/index.ts';
export type { DeviceKind, DeviceTreeOptions, Place } from './maps/index.ts';
export { machinePool, type Machine, type MemoryRange } from './machine-pool.ts';
export { Firmware, type FirmwareState } from './firmware/firmware.ts';
export type { PsciMachine, SystemEvent } from './firmware/psci.ts';
export { GRANULE_SIZE, PhysicalMemory } from './physical-memory.ts';
export { serveInstruction } from './instruction-access.ts';
export { completeRead, serveDevice, writeValueHigh, writeValueLow } from './register-access.ts';
export { type SchedulerState, VcpuScheduler } from './vcpu-scheduler.ts';
