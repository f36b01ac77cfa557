export { ET_DYN, ElfFile, type ElfSegment, PT_GNU_STACK, PT_INTERP } from './elf.ts';
export { type ElfRelocation, R_AARCH64_RELATIVE } from './elf-dynamic.ts';
export type { LineRange } from './dwarf-lines.ts';
export { hex } from './elf-reader.ts';
export type { ElfSection } from './elf-sections.ts';
export type { ElfSymbol, SymbolLocation } from './elf-symbols.ts';
export { checkStaticProgram } from './static-program.ts';
