import { posix } from 'node:path';

import { DwarfCursor } from './dwarf-cursor.ts';

/** Strings that line tables refer to: contents of .debug_line_str and .debug_str. */
export interface DwarfStrings {
  readonly lineStrings: Uint8Array;
  readonly strings: Uint8Array;
}

/** Content type codes of entries (DWARF 5, 6.2.4.1). */
const Content = { Path: 1, DirectoryIndex: 2 } as const;
const Form = {
  block: 0x09,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  data16: 0x1e,
  line_strp: 0x1f,
  string: 0x08,
  strp: 0x0e,
  udata: 0x0f,
} as const;

/** The source files of a line table by their number in it; undefined for numbers that it does not use. */
export type SourceFiles = readonly (string | undefined)[];

/** Of a table of DWARF 2 to 4: numbers begin at 1, and directory 0 is that of the compilation, which is elsewhere. */
export function filesBeforeVersion5(cursor: DwarfCursor): SourceFiles {
  const directories = [''];
  for (let name = cursor.string(); name !== ''; name = cursor.string()) directories.push(name);
  const files: (string | undefined)[] = [undefined];
  for (let name = cursor.string(); name !== ''; name = cursor.string()) {
    const directory = directories[cursor.uleb()] ?? '';
    // Time of the last change, and length.
    cursor.uleb();
    cursor.uleb();
    files.push(resolved(directory, name));
  }
  return files;
}

/**
 * Of a table of DWARF 5: numbers begin at 0, as those of directories do.
 *
 * @returns undefined for a form that is not known
 */
export function filesOfVersion5(cursor: DwarfCursor, strings: DwarfStrings): SourceFiles | undefined {
  const directories = entries(cursor, strings);
  const files = directories && entries(cursor, strings);
  const [compilation] = directories ?? [];
  return files?.map(({ path, directory }) => {
    const folder = directories?.[directory]?.path ?? '';
    return resolved(resolved(compilation?.path ?? '', folder), path);
  });
}

interface Entry {
  readonly path: string;
  readonly directory: number;
}

function entries(cursor: DwarfCursor, strings: DwarfStrings): Entry[] | undefined {
  const formats = Array.from({ length: cursor.u8() }, () => [cursor.uleb(), cursor.uleb()] as const);
  const count = cursor.uleb();
  const found: Entry[] = [];
  // An entry without a format takes no bytes: such a count could be anything.
  for (let index = 0; formats.length > 0 && index < count; index += 1) {
    let path = '';
    let directory = 0;
    for (const [content, form] of formats) {
      const value = read(cursor, form, strings);
      if (value === undefined) return undefined;
      if (content === Content.Path) path = String(value);
      if (content === Content.DirectoryIndex) directory = Number(value);
    }
    found.push({ path, directory });
  }
  return found;
}

function read(cursor: DwarfCursor, form: number, { lineStrings, strings }: DwarfStrings): string | number | undefined {
  switch (form) {
    case Form.string:
      return cursor.string();
    case Form.line_strp:
      return new DwarfCursor(lineStrings, cursor.u32()).string();
    case Form.strp:
      return new DwarfCursor(strings, cursor.u32()).string();
    case Form.udata:
      return cursor.uleb();
    case Form.data1:
      return cursor.u8();
    case Form.data2:
      return cursor.u16();
    case Form.data4:
      return cursor.u32();
    case Form.data8:
      return cursor.u64();
    case Form.data16:
      cursor.skip(16);
      return 0;
    case Form.block:
      cursor.skip(cursor.uleb());
      return 0;
    default:
      return undefined;
  }
}

function resolved(folder: string, name: string): string {
  return posix.isAbsolute(name) ? posix.normalize(name) : posix.join(folder, name);
}
