export { ElfFile, type ElfSegment } from './elf/elf.ts';
export type { ElfRelocation } from './elf/elf-dynamic.ts';
export type { ElfSymbol } from './elf/elf-symbols.ts';
export { checkKernel, unpackKernel } from './linux-kernel.ts';
export { linux, linuxIsPrepared, type LinuxOptions, type LinuxPayload, preparedLinux } from './linux-payload.ts';
export { checkStaticProgram } from './elf/static-program.ts';
export type { TmkPayload } from '../contract/payload.ts';
export { findTest, readTmk, type TmkImage, type TmkSegment, type TmkTest } from '../tmk/image.ts';
export { prebuiltTmks, tmk, type TmkOptions } from './tmk-payload.ts';
export {
  COMMAND_ADDRESS,
  COMMAND_SIZE,
  START_INPUT_SIZE,
  decodeCommand,
  encodeStartInput,
  type ReadGuestMemory,
} from '../tmk/protocol.ts';
