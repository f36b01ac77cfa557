export { POINTER_BYTES, TmkChannel, type TmkListener, type TmkVerdict } from './channel.ts';
export { findTest, readTmk } from './image.ts';
export { nameImageOffsets } from './image-offsets.ts';
export { type ImagePage, imagePages, type LoadablePayload, placeTmk, type TmkPlacement } from './load-image.ts';
export { type Location, PayloadLocator } from './locator.ts';
export { PLAIN_RAM_BASE } from './memory-holes.ts';
export { TmkMonitor } from './monitor.ts';
export {
  COMMAND_ADDRESS,
  COMMAND_SIZE,
  decodeCommand,
  encodeStartInput,
  type ReadGuestMemory,
  START_INPUT_SIZE,
} from './protocol.ts';
export { judge, type TmkResult } from './verdict.ts';
