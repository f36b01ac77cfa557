import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { optionalTool } from '../../../../petri/unit-test/optional-tool.ts';
import {
  cellsOf,
  decodeDeviceTree,
  type DecodedNode,
  encodeDeviceTree,
  nodeAt,
  stringsOf,
} from '../device-tree/index.ts';
import { type DeviceTreeOptions, machineMaps, placesOf } from './index.ts';

const dtc = optionalTool('dtc', 'device-tree-compiler');
const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');

const GIB = 2 ** 30;
const all: DeviceTreeOptions = {
  vcpus: 8,
  memory: 4 * GIB,
  psci: 'smc',
  el2: true,
  its: true,
  pmu: true,
  bootargs: 'console=ttyAMA0 "quoted"',
  initrd: { start: 0x4800_0000, end: 0x4900_0000 },
  rngSeed: Uint8Array.from({ length: 32 }, (_, n) => n),
};
const least: DeviceTreeOptions = { vcpus: 1, memory: GIB, psci: 'hvc' };

const treeOf = (name: 'virt' | 'base', options: DeviceTreeOptions): DecodedNode =>
  decodeDeviceTree(encodeDeviceTree(machineMaps[name].deviceTree(options)));

function withCompatible(node: DecodedNode, compatible: string): DecodedNode[] {
  const inside = node.children.flatMap((child) => withCompatible(child, compatible));
  return stringsOf(node, 'compatible').includes(compatible) ? [node, ...inside] : inside;
}

describe.each(['virt', 'base'] as const)('the map %s', (name) => {
  const map = machineMaps[name];

  it('has no two things at one address, and no SPI twice but those of PCI', () => {
    const { distributor, redistributors, its } = map.gic;
    const windows = [
      ...map.places.flatMap((place) => place.windows),
      ...map.ram(map.maxMemory),
      ...[distributor, redistributors, its],
    ].sort((a, b) => a.base - b.base);
    for (const [index, { base }] of windows.entries()) {
      const before = windows[index - 1];
      if (before !== undefined) expect(before.base + before.bytes).toBeLessThanOrEqual(base);
    }
    const spis = map.places.filter(({ kind }) => kind !== 'pcie-ecam').flatMap((place) => place.spis);
    expect(new Set(spis).size).toBe(spis.length);
  });

  it.skipIf(dtc === undefined)('is described by trees that dtc has nothing to say against', () => {
    for (const options of [all, least]) {
      const input = encodeDeviceTree(map.deviceTree(options));
      const { status, stderr } = spawnSync('dtc', ['-I', 'dtb', '-O', 'dtb', '-o', '/dev/null'], {
        input,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    }
  });

  it('is described with the memory, processors and firmware interface that a VM has', () => {
    const root = treeOf(name, all);
    const [memory] = root.children.filter((node) => node.name.startsWith('memory@'));
    const cells = map
      .ram(4 * GIB)
      .flatMap(({ base, bytes }) => [
        Math.floor(base / 2 ** 32),
        base % 2 ** 32,
        Math.floor(bytes / 2 ** 32),
        bytes % 2 ** 32,
      ]);
    expect(cellsOf(memory, 'reg')).toEqual(cells);
    const processors = withCompatible(root, 'arm,armv8');
    expect(processors.map((node) => cellsOf(node, 'reg')[1])).toEqual(
      Array.from({ length: 8 }, (_, vcpu) => map.mpidr(vcpu) & 0xff_ffff),
    );
    expect(stringsOf(nodeAt(root, 'psci'), 'method')).toEqual(['smc']);
    expect(stringsOf(nodeAt(root, 'chosen'), 'bootargs')).toEqual([all.bootargs]);
    expect(cellsOf(nodeAt(root, 'chosen'), 'linux,initrd-end')).toEqual([0, 0x4900_0000]);
    expect(nodeAt(root, 'chosen')?.properties.get('rng-seed')).toEqual(all.rngSeed);
    expect(withCompatible(root, 'arm,gic-v3-its').length).toBe(1);
    expect(cellsOf(nodeAt(root, 'timer'), 'interrupts').length).toBe(15);
  });

  it('leaves out what a VM does not have', () => {
    const root = treeOf(name, least);
    expect(withCompatible(root, 'arm,armv8').length).toBe(1);
    expect([...(nodeAt(root, 'chosen')?.properties.keys() ?? [])]).toEqual(['stdout-path']);
    expect(withCompatible(root, 'arm,gic-v3-its')).toEqual([]);
    expect(withCompatible(root, 'arm,armv8-pmuv3')).toEqual([]);
    expect(cellsOf(nodeAt(root, 'timer'), 'interrupts').length).toBe(12);
  });
});

describe('the map virt', () => {
  it.skipIf(qemu === undefined)("has QEMU's nodes, registers and interrupts", () => {
    const folder = mkdtempSync(join(tmpdir(), 'maps-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const file = join(folder, 'virt.dtb');
    const machine = ['-machine', `virt,gic-version=3,its=on,dumpdtb=${file}`];
    spawnSync('qemu-system-aarch64', [...machine, '-cpu', 'max', '-m', '1G', '-net', 'none', '-display', 'none']);
    const theirs = decodeDeviceTree(readFileSync(file));
    const ours = treeOf('virt', { ...least, its: true });
    for (const node of theirs.children.filter(({ properties }) => properties.has('reg'))) {
      if (node.name.startsWith('platform-bus')) continue;
      const same = nodeAt(ours, node.name);
      expect([node.name, cellsOf(same, 'reg')]).toEqual([node.name, cellsOf(node, 'reg')]);
      expect(stringsOf(same, 'compatible')).toEqual(stringsOf(node, 'compatible'));
      if (node.name.startsWith('virtio_mmio')) {
        expect(cellsOf(same, 'interrupts')).toEqual([...cellsOf(node, 'interrupts').slice(0, 2), 4]);
      } else if (!node.name.startsWith('intc')) {
        expect(cellsOf(same, 'interrupts')).toEqual(cellsOf(node, 'interrupts'));
      }
    }
    expect(cellsOf(nodeAt(ours, 'gpio-keys/poweroff'), 'linux,code')).toEqual([116]);
    expect(stringsOf(nodeAt(ours, 'chosen'), 'stdout-path')).toEqual(
      stringsOf(nodeAt(theirs, 'chosen'), 'stdout-path'),
    );
  });

  it('has the addresses of the second UART and of 32 slots for virtio', () => {
    const [, second] = placesOf(machineMaps.virt, 'pl011');
    expect(second).toMatchObject({ windows: [{ base: 0x0904_0000 }], spis: [8] });
    const slots = placesOf(machineMaps.virt, 'virtio-mmio');
    expect(slots.length).toBe(32);
    expect(slots[31]).toMatchObject({ windows: [{ base: 0x0a00_3e00, bytes: 0x200 }], spis: [47] });
  });
});

describe('the map base', () => {
  it('has the addresses of the Base platform', () => {
    const root = treeOf('base', all);
    const bus = nodeAt(root, '/bus@8000000/motherboard-bus/iofpga-bus@300000000');
    expect(bus?.children.map(({ name }) => name)).toEqual([
      ...['sysreg@10000', 'serial@90000', 'serial@a0000', 'serial@b0000', 'serial@c0000', 'wdt@f0000'],
      ...['timer@110000', 'timer@120000', 'rtc@170000', 'virtio-block@130000', 'virtio-p9@140000', 'virtio-net@150000'],
    ]);
    expect(machineMaps.base.ram(3 * GIB)).toEqual([
      { base: 0x8000_0000, bytes: 2 * GIB },
      { base: 0x8_8000_0000, bytes: GIB },
    ]);
    expect([0, 3, 4, 7].map((vcpu) => machineMaps.base.mpidr(vcpu))).toEqual([
      0x8100_0000, 0x8100_0300, 0x8101_0000, 0x8101_0300,
    ]);
  });
});
