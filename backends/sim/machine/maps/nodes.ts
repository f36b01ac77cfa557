import { at, cells64, type DeviceTreeNode, type Property, reg } from '../device-tree/index.ts';
import type { DeviceTreeOptions, GicPlaces, MachineMap } from './map.ts';

/** phandles of the nodes that others name. */
export const Phandle = {
  GIC: 1,
  ITS: 2,
  CLOCK_24MHZ: 3,
  CLOCK_1MHZ: 4,
  CLOCK_32KHZ: 5,
  GPIO: 6,
  SYSREG: 7,
  CPU: 0x100,
};

/** Cells of an interrupt of a GIC: its type. */
const Interrupt = { SPI: 0, PPI: 1 } as const;
/** IRQ_TYPE_LEVEL_HIGH. */
export const LEVEL = 4;

export function spi(number: number): number[] {
  return [Interrupt.SPI, number, LEVEL];
}

function ppi(number: number): number[] {
  return [Interrupt.PPI, number, LEVEL];
}

/** PPIs as BSA numbers them: INTID - 16. */
const Ppi = { PMU: 7, MAINTENANCE: 9, CNTHP: 10, CNTV: 11, CNTHV: 12, CNTPS: 13, CNTP: 14 } as const;

export function clock(name: string, hertz: number, phandle: number, output: string): DeviceTreeNode {
  return {
    name,
    properties: {
      compatible: 'fixed-clock',
      '#clock-cells': 0,
      'clock-frequency': hertz,
      'clock-output-names': output,
      phandle,
    },
  };
}

/** A PrimeCell with the interrupts and clocks that it has. */
export function primeCell(
  name: string,
  part: string,
  location: { readonly reg: Property; readonly interrupts: readonly number[] },
  clocks: Readonly<Record<string, number>>,
): DeviceTreeNode {
  return {
    name,
    properties: {
      compatible: [`arm,${part}`, 'arm,primecell'],
      ...location,
      clocks: Object.values(clocks),
      'clock-names': Object.keys(clocks),
    },
  };
}

export function psciNode({ psci }: DeviceTreeOptions): DeviceTreeNode {
  return { name: 'psci', properties: { compatible: ['arm,psci-1.0', 'arm,psci-0.2'], method: psci } };
}

/** @param cluster the cluster of a vCPU, for /cpus/cpu-map */
export function cpusNode(
  map: Pick<MachineMap, 'mpidr'>,
  { vcpus }: DeviceTreeOptions,
  cluster: (vcpu: number) => number,
): DeviceTreeNode {
  const all = Array.from({ length: vcpus }, (_, vcpu) => vcpu);
  const clusters = [...new Set(all.map(cluster))];
  const coresOf = (index: number): DeviceTreeNode[] =>
    all
      .filter((vcpu) => cluster(vcpu) === index)
      .map((vcpu, core) => ({ name: `core${String(core)}`, properties: { cpu: Phandle.CPU + vcpu } }));
  return {
    name: 'cpus',
    properties: { '#address-cells': 2, '#size-cells': 0 },
    children: [
      {
        name: 'cpu-map',
        properties: {},
        children: clusters.map((index) => ({
          name: `cluster${String(index)}`,
          properties: {},
          children: coresOf(index),
        })),
      },
      ...all.map((vcpu) => {
        // Aff3 to Aff0; MT and U are no part of it.
        const affinity = map.mpidr(vcpu) & 0xff_ffff;
        return {
          name: at('cpu', affinity),
          properties: {
            device_type: 'cpu',
            compatible: 'arm,armv8',
            reg: cells64(affinity),
            'enable-method': 'psci',
            phandle: Phandle.CPU + vcpu,
          },
        };
      }),
    ],
  };
}

export function memoryNodes(map: Pick<MachineMap, 'ram'>, { memory }: DeviceTreeOptions): DeviceTreeNode[] {
  const ram = map.ram(memory);
  const [first] = ram;
  if (first === undefined) return [];
  return [{ name: at('memory', first.base), properties: { device_type: 'memory', reg: reg(...ram) } }];
}

export function gicNode(
  name: string,
  { distributor, redistributors, its }: GicPlaces,
  options: DeviceTreeOptions,
): DeviceTreeNode {
  return {
    name: at(name, distributor.base),
    properties: {
      compatible: 'arm,gic-v3',
      '#interrupt-cells': 3,
      '#address-cells': 2,
      '#size-cells': 2,
      ranges: true,
      'interrupt-controller': true,
      '#redistributor-regions': 1,
      reg: reg(distributor, redistributors),
      ...(options.el2 === true && { interrupts: ppi(Ppi.MAINTENANCE) }),
      phandle: Phandle.GIC,
    },
    children:
      options.its === true
        ? [
            {
              name: at(name === 'intc' ? 'its' : 'msi-controller', its.base),
              properties: {
                compatible: 'arm,gic-v3-its',
                'msi-controller': true,
                '#msi-cells': 1,
                reg: reg(its),
                phandle: Phandle.ITS,
              },
            },
          ]
        : [],
  };
}

/** EL3 physical, EL1 physical, virtual, EL2 physical and, at EL2, EL2 virtual timers, in the order of the binding. */
export function timerNode({ el2 }: DeviceTreeOptions): DeviceTreeNode {
  const ppis = [Ppi.CNTPS, Ppi.CNTP, Ppi.CNTV, Ppi.CNTHP, ...(el2 === true ? [Ppi.CNTHV] : [])];
  return {
    name: 'timer',
    properties: {
      compatible: ['arm,armv8-timer', 'arm,armv7-timer'],
      'always-on': true,
      interrupts: ppis.flatMap(ppi),
    },
  };
}

export function pmuNodes({ pmu }: DeviceTreeOptions): DeviceTreeNode[] {
  if (pmu !== true) return [];
  return [{ name: 'pmu', properties: { compatible: 'arm,armv8-pmuv3', interrupts: ppi(Ppi.PMU) } }];
}

export function chosenNode(options: DeviceTreeOptions, stdoutPath: string): DeviceTreeNode {
  const { bootargs, initrd, rngSeed, kaslrSeed } = options;
  return {
    name: 'chosen',
    properties: {
      'stdout-path': stdoutPath,
      ...(bootargs !== undefined && { bootargs }),
      ...(initrd !== undefined && {
        'linux,initrd-start': cells64(initrd.start),
        'linux,initrd-end': cells64(initrd.end),
      }),
      ...(rngSeed !== undefined && { 'rng-seed': rngSeed }),
      ...(kaslrSeed !== undefined && { 'kaslr-seed': kaslrSeed }),
    },
  };
}
