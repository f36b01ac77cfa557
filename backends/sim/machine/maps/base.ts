import { COUNTER_FREQUENCY } from '../../cpu/index.ts';
import { at, type DeviceTreeNode, reg } from '../device-tree/index.ts';
import type { DeviceKind, DeviceTreeOptions, MachineMap, Place } from './map.ts';
import {
  chosenNode,
  clock,
  cpusNode,
  gicNode,
  LEVEL,
  memoryNodes,
  Phandle,
  pmuNodes,
  primeCell,
  psciNode,
  spi,
  timerNode,
} from './nodes.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const LOW_RAM = { base: 0x8000_0000, bytes: 2 * GIB };
const HIGH_RAM_BASE = 0x8_8000_0000;
const CORES_OF_CLUSTER = 4;

/** Addresses of the motherboard's peripherals are relative to this one. */
const PERIPHERALS = { base: 0x1c00_0000, bytes: 0x20_0000 };
/** Windows of the motherboard's bus, as its chip selects name them. */
const CHIP_SELECTS = [0x0800_0000, 0x1400_0000, 0x1800_0000, 0x1c00_0000, 0x0c00_0000, 0x1000_0000];
const CHIP_SELECT_BYTES = 64 * MIB;
const MOTHERBOARD_INTERRUPTS = 64;

function place(kind: DeviceKind, base: number, bytes: number, ...spis: number[]): Place {
  return { kind, windows: [{ base, bytes }], spis };
}

const flash: Place = {
  kind: 'cfi-flash',
  windows: [
    { base: 0x0800_0000, bytes: 64 * MIB },
    { base: 0x0c00_0000, bytes: 64 * MIB },
  ],
  spis: [],
};
const uarts = [0, 1, 2, 3].map((n) => place('pl011', 0x1c09_0000 + n * 0x1_0000, 4 * KIB, 5 + n));
const sysreg = place('vexpress-sysreg', 0x1c01_0000, 4 * KIB);
const sysctl = place('sp810', 0x1c02_0000, 4 * KIB);
const watchdog = place('sp805', 0x1c0f_0000, 4 * KIB, 0);
const timers = [place('sp804', 0x1c11_0000, 4 * KIB, 2), place('sp804', 0x1c12_0000, 4 * KIB, 3)];
const rtc = place('pl031', 0x1c17_0000, 4 * KIB, 4);
/** Block, 9p and network, then the entropy source beyond the motherboard's window. */
const virtio = [
  place('virtio-mmio', 0x1c13_0000, 0x200, 42),
  place('virtio-mmio', 0x1c14_0000, 0x200, 43),
  place('virtio-mmio', 0x1c15_0000, 0x200, 44),
];
const virtioRng = place('virtio-mmio', 0x1c20_0000, 0x200, 46);
const powerController = place('fvp-power-controller', 0x1c10_0000, 4 * KIB);
const ecam = place('pcie-ecam', 0x4000_0000, 256 * MIB, 168, 169, 170, 171);
/** Control frame, then refresh frame. */
const genericWatchdog: Place = {
  kind: 'generic-watchdog',
  windows: [
    { base: 0x2a44_0000, bytes: 4 * KIB },
    { base: 0x2a45_0000, bytes: 4 * KIB },
  ],
  spis: [27],
};
/** CNTControlBase, CNTReadBase, CNTCTLBase, CNTBase0 and CNTBase1, whose interrupts follow. */
const systemTimer: Place = {
  kind: 'memory-mapped-timer',
  windows: [0x2a43_0000, 0x2a80_0000, 0x2a81_0000, 0x2a82_0000, 0x2a83_0000].map((base) => ({ base, bytes: 64 * KIB })),
  spis: [25, 26],
};

/**
 * FVP Base RevC-2xAEMvA (Fast Models Reference Guide, "Base Platform memory map"; Linux, fvp-base-revc.dts): two
 * clusters of four cores of one thread each. Without what shows and plays: displays, sound, keyboards, memory cards and
 * Ethernet; nor SMMUs.
 */
export const baseMap: MachineMap = {
  name: 'base',
  maxVcpus: 8,
  maxMemory: 64 * GIB,
  unknown: 0,
  gic: {
    distributor: { base: 0x2f00_0000, bytes: 64 * KIB },
    its: { base: 0x2f02_0000, bytes: 128 * KIB },
    redistributors: { base: 0x2f10_0000, bytes: 0x20_0000 },
  },
  places: [
    flash,
    ...uarts,
    sysreg,
    sysctl,
    watchdog,
    ...timers,
    rtc,
    ...virtio,
    virtioRng,
    powerController,
    genericWatchdog,
    systemTimer,
    ecam,
  ],
  // MPIDR_EL1.RES1 and MT; Aff2 is the cluster, Aff1 the core, Aff0 the thread.
  mpidr: (vcpu) => 0x8100_0000 + cluster(vcpu) * 0x1_0000 + (vcpu % CORES_OF_CLUSTER) * 0x100,
  ram: (bytes) => {
    const low = { base: LOW_RAM.base, bytes: Math.min(bytes, LOW_RAM.bytes) };
    return bytes <= LOW_RAM.bytes ? [low] : [low, { base: HIGH_RAM_BASE, bytes: bytes - LOW_RAM.bytes }];
  },
  deviceTree,
};

function cluster(vcpu: number): number {
  return Math.floor(vcpu / CORES_OF_CLUSTER);
}

const SERIAL_PATH = '/bus@8000000/motherboard-bus/iofpga-bus@300000000';

function deviceTree(options: DeviceTreeOptions): DeviceTreeNode {
  const serial = uarts.map((uart) => `${SERIAL_PATH}/${at('serial', offsetOf(uart))}`);
  return {
    name: '',
    properties: {
      model: 'FVP Base RevC',
      compatible: ['arm,fvp-base-revc', 'arm,vexpress'],
      'interrupt-parent': Phandle.GIC,
      '#address-cells': 2,
      '#size-cells': 2,
    },
    children: [
      chosenNode(options, 'serial0:115200n8'),
      {
        name: 'aliases',
        properties: Object.fromEntries(serial.map((path, index) => [`serial${String(index)}`, path])),
      },
      psciNode(options),
      cpusNode(baseMap, options, cluster),
      ...memoryNodes(baseMap, options),
      gicNode('interrupt-controller', baseMap.gic, options),
      timerNode(options),
      ...pmuNodes(options),
      systemTimerNode(),
      {
        name: at('watchdog', 0x2a44_0000),
        properties: {
          compatible: 'arm,sbsa-gwdt',
          // The binding has the control frame first.
          reg: reg(...genericWatchdog.windows),
          interrupts: genericWatchdog.spis.flatMap(spi),
        },
      },
      virtioNode(at('virtio-rng', 0x1c20_0000), reg(...virtioRng.windows), virtioRng.spis.flatMap(spi)),
      pciNode(options),
      clock('clk24mhz', 24_000_000, Phandle.CLOCK_24MHZ, 'v2m:clk24mhz'),
      clock('refclk1mhz', 1_000_000, Phandle.CLOCK_1MHZ, 'v2m:refclk1mhz'),
      clock('refclk32khz', 32_768, Phandle.CLOCK_32KHZ, 'v2m:refclk32khz'),
      configurationNode(),
      motherboardNode(),
    ],
  };
}

function offsetOf({ windows }: Place): number {
  return (windows[0]?.base ?? 0) - PERIPHERALS.base;
}

function systemTimerNode(): DeviceTreeNode {
  const [, , control, , frame] = systemTimer.windows;
  if (control === undefined || frame === undefined) throw new RangeError('the system timer has five frames');
  return {
    name: at('timer', control.base),
    properties: {
      compatible: 'arm,armv7-timer-mem',
      reg: reg(control),
      'clock-frequency': Number(COUNTER_FREQUENCY),
      '#address-cells': 2,
      '#size-cells': 2,
      ranges: true,
    },
    children: [
      {
        name: at('frame', frame.base),
        properties: { 'frame-number': 1, interrupts: spi(systemTimer.spis[1] ?? 0), reg: reg(frame) },
      },
    ],
  };
}

function pciNode({ its }: DeviceTreeOptions): DeviceTreeNode {
  return {
    name: at('pci', ecam.windows[0]?.base ?? 0),
    properties: {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      '#address-cells': 3,
      '#size-cells': 2,
      '#interrupt-cells': 1,
      'bus-range': [0, 1],
      reg: reg(...ecam.windows),
      ranges: [0x0200_0000, 0, 0x5000_0000, 0, 0x5000_0000, 0, 0x1000_0000],
      'interrupt-map-mask': [0, 0, 0, 7],
      'interrupt-map': ecam.spis.flatMap((number, index) => [0, 0, 0, index + 1, Phandle.GIC, 0, 0, ...spi(number)]),
      ...(its === true && { 'msi-map': [0, Phandle.ITS, 0, 0x1_0000] }),
      'dma-coherent': true,
    },
  };
}

/** Functions of the configuration registers (SYS_CFGCTRL) that Linux calls to stop the board. */
function configurationNode(): DeviceTreeNode {
  const entry = (name: string, code: number): DeviceTreeNode => ({
    name,
    properties: { compatible: `arm,vexpress-${name}`, 'arm,vexpress-sysreg,func': [code, 0] },
  });
  return {
    name: 'mcc',
    properties: { compatible: 'arm,vexpress,config-bus', 'arm,vexpress,config-bridge': Phandle.SYSREG },
    children: [entry('reset', 5), entry('shutdown', 8), entry('reboot', 9)],
  };
}

function motherboardNode(): DeviceTreeNode {
  return {
    name: 'bus@8000000',
    properties: {
      compatible: 'simple-bus',
      '#address-cells': 2,
      '#size-cells': 1,
      ranges: CHIP_SELECTS.flatMap((base, select) => [select, 0, 0, base, CHIP_SELECT_BYTES]),
      '#interrupt-cells': 1,
      'interrupt-map-mask': [0, 0, 63],
      'interrupt-map': Array.from({ length: MOTHERBOARD_INTERRUPTS }, (_, number) => [
        ...[0, 0, number, Phandle.GIC, 0, 0],
        ...[0, number, LEVEL],
      ]).flat(),
    },
    children: [
      {
        name: 'motherboard-bus',
        properties: {
          compatible: ['arm,vexpress,v2m-p1', 'simple-bus'],
          'arm,v2m-memory-map': 'rs2',
          '#address-cells': 2,
          '#size-cells': 1,
          '#interrupt-cells': 1,
          ranges: true,
        },
        children: [
          {
            name: at('flash', 0),
            properties: {
              compatible: ['arm,vexpress-flash', 'cfi-flash'],
              reg: [0, 0, 64 * MIB, 4, 0, 64 * MIB],
              'bank-width': 4,
            },
          },
          {
            name: 'iofpga-bus@300000000',
            properties: {
              compatible: 'simple-bus',
              '#address-cells': 1,
              '#size-cells': 1,
              ranges: [0, 3, 0, PERIPHERALS.bytes],
            },
            children: peripheralNodes(),
          },
        ],
      },
    ],
  };
}

function peripheralNodes(): DeviceTreeNode[] {
  const apb = { apb_pclk: Phandle.CLOCK_24MHZ };
  return [
    {
      name: at('sysreg', offsetOf(sysreg)),
      properties: { compatible: 'arm,vexpress-sysreg', reg: registersOf(sysreg), phandle: Phandle.SYSREG },
    },
    ...uarts.map((uart) => cell('serial', 'pl011', uart, { uartclk: Phandle.CLOCK_24MHZ, ...apb })),
    cell('wdt', 'sp805', watchdog, { wdogclk: Phandle.CLOCK_32KHZ, ...apb }),
    ...timers.map((timer) =>
      cell('timer', 'sp804', timer, { timclken1: Phandle.CLOCK_1MHZ, timclken2: Phandle.CLOCK_1MHZ, ...apb }),
    ),
    cell('rtc', 'pl031', rtc, apb),
    ...virtio.map((slot, index) =>
      virtioNode(
        at(['virtio-block', 'virtio-p9', 'virtio-net'][index] ?? 'virtio', offsetOf(slot)),
        registersOf(slot),
        slot.spis,
      ),
    ),
  ];
}

function cell(name: string, part: string, each: Place, clocks: Readonly<Record<string, number>>): DeviceTreeNode {
  return primeCell(at(name, offsetOf(each)), part, { reg: registersOf(each), interrupts: each.spis }, clocks);
}

function registersOf(each: Place): number[] {
  return [offsetOf(each), each.windows[0]?.bytes ?? 0];
}

function virtioNode(name: string, location: readonly number[], interrupts: readonly number[]): DeviceTreeNode {
  return { name, properties: { compatible: 'virtio,mmio', reg: location, interrupts, 'dma-coherent': true } };
}
