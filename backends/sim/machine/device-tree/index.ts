export { cellsOf, decodeDeviceTree, type DecodedNode, nodeAt, stringsOf } from './decode.ts';
export { encodeDeviceTree, type EncodeOptions } from './encode.ts';
export { at, cells64, type DeviceTreeNode, type Property, reg } from './node.ts';
