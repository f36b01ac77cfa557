import { at, type DeviceTreeNode, reg } from '../device-tree/index.ts';
import type { DeviceKind, DeviceTreeOptions, MachineMap, Place } from './map.ts';
import {
  chosenNode,
  clock,
  cpusNode,
  gicNode,
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

const RAM_BASE = 0x4000_0000;
const VIRTIO_BASE = 0x0a00_0000;
const VIRTIO_BYTES = 0x200;
const VIRTIO_SLOTS = 32;
const VIRTIO_FIRST_SPI = 16;

function place(kind: DeviceKind, base: number, bytes: number, ...spis: number[]): Place {
  return { kind, windows: [{ base, bytes }], spis };
}

const uart = place('pl011', 0x0900_0000, 4 * KIB, 1);
const agentUart = place('pl011', 0x0904_0000, 4 * KIB, 8);
const rtc = place('pl031', 0x0901_0000, 4 * KIB, 2);
const gpio = place('pl061', 0x0903_0000, 4 * KIB, 7);
const fwCfg = place('fw-cfg', 0x0902_0000, 24);
const flash: Place = {
  kind: 'cfi-flash',
  windows: [
    { base: 0, bytes: 64 * MIB },
    { base: 0x0400_0000, bytes: 64 * MIB },
  ],
  spis: [],
};
/** INTA to INTD. */
const ecam = place('pcie-ecam', 0x40_1000_0000, 256 * MIB, 3, 4, 5, 6);
const virtioSlots = Array.from({ length: VIRTIO_SLOTS }, (_, slot) =>
  place('virtio-mmio', VIRTIO_BASE + slot * VIRTIO_BYTES, VIRTIO_BYTES, VIRTIO_FIRST_SPI + slot),
);

/**
 * The board `virt` of QEMU (docs/system/arm/virt.rst and the device tree that it generates), with two differences: a
 * second PL011, which is where QEMU has one for the Secure world, and level-triggered interrupts of virtio-mmio, by
 * which none is lost when two causes overlap.
 */
export const virtMap: MachineMap = {
  name: 'virt',
  maxVcpus: 8,
  maxMemory: 255 * GIB,
  unknown: 0,
  gic: {
    distributor: { base: 0x0800_0000, bytes: 64 * KIB },
    its: { base: 0x0808_0000, bytes: 128 * KIB },
    redistributors: { base: 0x080a_0000, bytes: 0xf6_0000 },
  },
  places: [uart, agentUart, rtc, gpio, fwCfg, flash, ecam, ...virtioSlots],
  // MPIDR_EL1.RES1; affinity 0.0.0.n.
  mpidr: (vcpu) => 0x8000_0000 + vcpu,
  ram: (bytes) => [{ base: RAM_BASE, bytes }],
  deviceTree,
};

function deviceTree(options: DeviceTreeOptions): DeviceTreeNode {
  return {
    name: '',
    properties: {
      compatible: 'linux,dummy-virt',
      model: 'linux,dummy-virt',
      '#address-cells': 2,
      '#size-cells': 2,
      'interrupt-parent': Phandle.GIC,
    },
    children: [
      chosenNode(options, `/${at('pl011', uart.windows[0]?.base ?? 0)}`),
      {
        name: 'aliases',
        properties: Object.fromEntries(
          [uart, agentUart].map(({ windows }, index) => [
            `serial${String(index)}`,
            `/${at('pl011', windows[0]?.base ?? 0)}`,
          ]),
        ),
      },
      psciNode(options),
      ...memoryNodes(virtMap, options),
      cpusNode(virtMap, options, () => 0),
      timerNode(options),
      ...pmuNodes(options),
      clock('apb-pclk', 24_000_000, Phandle.CLOCK_24MHZ, 'clk24mhz'),
      gicNode('intc', virtMap.gic, options),
      { name: at('flash', 0), properties: { compatible: 'cfi-flash', reg: reg(...flash.windows), 'bank-width': 4 } },
      ...[uart, agentUart].map((each) =>
        cell('pl011', each, { uartclk: Phandle.CLOCK_24MHZ, apb_pclk: Phandle.CLOCK_24MHZ }),
      ),
      cell('pl031', rtc, { apb_pclk: Phandle.CLOCK_24MHZ }),
      gpioNode(),
      gpioKeysNode(),
      {
        name: at('fw-cfg', fwCfg.windows[0]?.base ?? 0),
        properties: { compatible: 'qemu,fw-cfg-mmio', reg: reg(...fwCfg.windows), 'dma-coherent': true },
      },
      ...virtioSlots.map(({ windows, spis }) => ({
        name: at('virtio_mmio', windows[0]?.base ?? 0),
        properties: {
          compatible: 'virtio,mmio',
          reg: reg(...windows),
          interrupts: spis.flatMap(spi),
          'dma-coherent': true as const,
        },
      })),
      pcieNode(options),
    ],
  };
}

function cell(part: string, { windows, spis }: Place, clocks: Readonly<Record<string, number>>): DeviceTreeNode {
  const location = { reg: reg(...windows), interrupts: spis.flatMap(spi) };
  return primeCell(at(part, windows[0]?.base ?? 0), part, location, clocks);
}

function gpioNode(): DeviceTreeNode {
  const { name, properties } = cell('pl061', gpio, { apb_pclk: Phandle.CLOCK_24MHZ });
  return { name, properties: { ...properties, 'gpio-controller': true, '#gpio-cells': 2, phandle: Phandle.GPIO } };
}

/** GPIO line of the power button, and KEY_POWER of Linux. */
export const POWER_BUTTON_LINE = 3;
const KEY_POWER = 116;

function gpioKeysNode(): DeviceTreeNode {
  return {
    name: 'gpio-keys',
    properties: { compatible: 'gpio-keys' },
    children: [
      {
        name: 'poweroff',
        properties: {
          label: 'GPIO Key Poweroff',
          'linux,code': KEY_POWER,
          gpios: [Phandle.GPIO, POWER_BUTTON_LINE, 0],
        },
      },
    ],
  };
}

/** Windows of PCI addresses: ports, and 32-bit memory. @see pcieNode */
const PCI_PORTS = { base: 0x3eff_0000, bytes: 64 * KIB };
const PCI_MEMORY = { base: 0x1000_0000, bytes: 0x2eff_0000 };

function pcieNode({ its }: DeviceTreeOptions): DeviceTreeNode {
  const [port, memory] = [PCI_PORTS, PCI_MEMORY];
  const pins = [1, 2, 3, 4];
  return {
    name: at('pcie', memory.base),
    properties: {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      '#address-cells': 3,
      '#size-cells': 2,
      '#interrupt-cells': 1,
      'linux,pci-domain': 0,
      'bus-range': [0, 0xff],
      'dma-coherent': true,
      reg: reg(...ecam.windows),
      ranges: [
        ...[0x0100_0000, 0, 0, 0, port.base, 0, port.bytes],
        ...[0x0200_0000, 0, memory.base, 0, memory.base, 0, memory.bytes],
      ],
      'interrupt-map-mask': [0, 0, 0, 7],
      'interrupt-map': pins.flatMap((pin, index) => [0, 0, 0, pin, Phandle.GIC, 0, 0, ...spi(ecam.spis[index] ?? 0)]),
      ...(its === true && { 'msi-map': [0, Phandle.ITS, 0, 0x1_0000] }),
    },
  };
}
