/** Binary encoding of WebAssembly modules (WebAssembly Core Specification 2.0, chapter 5). */

/** Code bytes. Immutable, so that expressions can share them. */
export type Code = readonly number[];

/** Value types, as the binary format writes them. */
export const ValType = { I32: 0x7f, I64: 0x7e, F32: 0x7d, F64: 0x7c, V128: 0x7b } as const;
export type ValType = (typeof ValType)[keyof typeof ValType];

const SectionId = { Type: 1, Import: 2, Function: 3, Export: 7, Element: 9, Code: 10 } as const;
const FUNCREF = 0x70;
/** 4 GiB, so that any memory can be imported. */
const MAXIMUM_PAGES = 65_536;

/** Unsigned LEB128 of a value below 2^53. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128 of a 32-bit value. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
      bytes.push(byte);
      return bytes;
    }
    bytes.push(byte | 0x80);
  }
}

/** Signed LEB128 of a 64-bit value. */
export function signed64(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asIntN(64, value);
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)) {
      bytes.push(byte);
      return bytes;
    }
    bytes.push(byte | 0x80);
  }
}

function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...unsigned(bytes.length), ...bytes];
}

export interface FunctionType {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

export interface FunctionBody {
  /** Index into `ModuleSource.types`. */
  readonly type: number;
  /** Locals after the parameters. */
  readonly locals: readonly ValType[];
  /** Without the final `end`. */
  readonly code: Code;
}

export interface ModuleSource {
  readonly types: readonly FunctionType[];
  /** Function imports come first in the function index space, in this order. */
  readonly functionImports: readonly { readonly name: string; readonly type: number }[];
  /** Of the memory import `env.memory`; absent for none. */
  readonly minimumPages?: number;
  /** Of the table import `env.table`; absent for none. */
  readonly tableSize?: number;
  readonly functions: readonly FunctionBody[];
  /** Function indices (imports included) by export name. */
  readonly exports?: Readonly<Record<string, number>>;
  /** Puts functions into the imported table: a table index for each function index. */
  readonly elements?: readonly { readonly at: number; readonly functionIndex: number }[];
}

/** Appends in a loop: spreading a long array would overflow the stack. */
function append(target: number[], source: Code): void {
  for (let index = 0; index < source.length; index += 1) target.push(source[index] ?? 0);
}

function section(out: number[], id: number, items: readonly Code[]): void {
  const content = unsigned(items.length);
  for (const item of items) append(content, item);
  out.push(id, ...unsigned(content.length));
  append(out, content);
}

function localGroups(locals: readonly ValType[]): number[] {
  const groups: number[][] = [];
  for (const type of locals) {
    const last = groups.at(-1);
    if (last?.[1] === type) last[0] = (last[0] ?? 0) + 1;
    else groups.push([1, type]);
  }
  return [...unsigned(groups.length), ...groups.flatMap(([count, type]) => [...unsigned(count ?? 0), type ?? 0])];
}

/** The bytes of a module that imports `env.memory` and `env.table`, both optionally, and functions of `env`. */
export function encodeModule(source: ModuleSource): Uint8Array {
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  section(
    out,
    SectionId.Type,
    source.types.map(({ params, results }) => [
      0x60,
      ...unsigned(params.length),
      ...params,
      ...unsigned(results.length),
      ...results,
    ]),
  );
  const imports: number[][] = source.functionImports.map((entry) => [
    ...name('env'),
    ...name(entry.name),
    0,
    ...unsigned(entry.type),
  ]);
  if (source.minimumPages !== undefined) {
    const limits = [...unsigned(source.minimumPages), ...unsigned(MAXIMUM_PAGES)];
    imports.push([...name('env'), ...name('memory'), 2, 1, ...limits]);
  }
  if (source.tableSize !== undefined) {
    imports.push([...name('env'), ...name('table'), 1, FUNCREF, 0, ...unsigned(source.tableSize)]);
  }
  section(out, SectionId.Import, imports);
  section(
    out,
    SectionId.Function,
    source.functions.map((body) => unsigned(body.type)),
  );
  section(
    out,
    SectionId.Export,
    Object.entries(source.exports ?? {}).map(([exported, index]) => [...name(exported), 0, ...unsigned(index)]),
  );
  if (source.elements !== undefined) {
    section(
      out,
      SectionId.Element,
      source.elements.map(({ at, functionIndex }) => [0, 0x41, ...signed(at), 0x0b, 1, ...unsigned(functionIndex)]),
    );
  }
  section(
    out,
    SectionId.Code,
    source.functions.map((body) => {
      const content = localGroups(body.locals);
      append(content, body.code);
      content.push(0x0b);
      const sized = unsigned(content.length);
      append(sized, content);
      return sized;
    }),
  );
  return Uint8Array.from(out);
}
