import { spawnSync } from 'node:child_process';

import { describe, expect, it } from 'vitest';

import { optionalTool } from '../../../../petri/unit-test/optional-tool.ts';
import { cellsOf, decodeDeviceTree, nodeAt, stringsOf } from './decode.ts';
import { encodeDeviceTree } from './encode.ts';
import { cells64, type DeviceTreeNode, reg } from './node.ts';

const dtc = optionalTool('dtc', 'device-tree-compiler');

const tree: DeviceTreeNode = {
  name: '',
  properties: { '#address-cells': 2, compatible: ['acme,board', 'acme'], model: 'a "model"' },
  children: [
    {
      name: 'memory@40000000',
      properties: { reg: reg({ base: 0x40_0000_0000, bytes: 0x1000 }), flag: true, raw: Uint8Array.of(1, 2, 3) },
      children: [{ name: 'inner', properties: { value: 0xffff_ffff } }],
    },
    { name: 'empty', properties: {} },
  ],
};

describe('a flattened device tree', () => {
  it('is read as it was written', () => {
    const root = decodeDeviceTree(encodeDeviceTree(tree));
    expect(stringsOf(root, 'compatible')).toEqual(['acme,board', 'acme']);
    const memory = nodeAt(root, '/memory@40000000');
    expect(cellsOf(memory, 'reg')).toEqual([0x40, 0, 0, 0x1000]);
    expect(memory?.properties.get('flag')).toEqual(new Uint8Array());
    expect(memory?.properties.get('raw')).toEqual(Uint8Array.of(1, 2, 3));
    expect(cellsOf(nodeAt(root, '/memory@40000000/inner'), 'value')).toEqual([0xffff_ffff]);
    expect(root.children.map(({ name }) => name)).toEqual(['memory@40000000', 'empty']);
    expect(nodeAt(root, '/absent')).toBeUndefined();
    expect(cells64(0x1_2345_6789)).toEqual([1, 0x2345_6789]);
  });

  it('has the size that is asked for, or what it needs', () => {
    const least = encodeDeviceTree(tree).length;
    expect(encodeDeviceTree(tree, { bytes: 10 }).length).toBe(least);
    const padded = encodeDeviceTree(tree, { bytes: 0x1_0000 });
    expect(padded.length).toBe(0x1_0000);
    expect(new DataView(padded.buffer).getUint32(4)).toBe(0x1_0000);
    expect(decodeDeviceTree(padded)).toEqual(decodeDeviceTree(encodeDeviceTree(tree)));
  });

  it('is refused where it is truncated or something else', () => {
    const blob = encodeDeviceTree(tree);
    for (let length = 0; length < blob.length - 8; length += 1) {
      expect(() => decodeDeviceTree(blob.slice(0, length))).toThrow(RangeError);
    }
    expect(() => decodeDeviceTree(new Uint8Array(64))).toThrow('magic');
  });

  it.skipIf(dtc === undefined)('is one to dtc', () => {
    const input = encodeDeviceTree(tree, { reserved: [{ base: 0x8000_0000, bytes: 0x1_0000 }] });
    const { status, stdout, stderr } = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const expected = [
      '/memreserve/\t0x0000000080000000 0x0000000000010000;',
      'compatible = "acme,board\\0acme";',
      'model = "a \\"model\\"";',
      'reg = <0x40 0x00 0x00 0x1000>;',
      'raw = [01 02 03];',
      'value = <0xffffffff>;',
    ];
    for (const line of expected) expect(stdout).toContain(line);
  });
});
