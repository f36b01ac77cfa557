/** The part of the WebAssembly JavaScript API that the engine uses; the types of ES2023 and Node 20 lack it. */
declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'anyfunc' | 'externref';
  type ExportValue = Memory | Table | Global | ((...args: never[]) => unknown);

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
    readonly length: number;
    get(index: number): unknown;
    grow(by: number, value?: unknown): number;
    set(index: number, value: unknown): void;
  }
  class Global {
    constructor(descriptor: { value: ValueType; mutable?: boolean }, initial?: unknown);
    value: unknown;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, ExportValue>;
  }
  class RuntimeError extends Error {}
}
