/**
 * The single WebAssembly memory of a machine: CPU state, TLBs, decoded instructions and guest physical memory. It never
 * grows, so its views stay valid for its whole life. The host commits its memory as it is touched.
 */
export class LinearMemory {
  readonly bytes: number;
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly u64: BigUint64Array;
  readonly view: DataView;

  /** @param bytes size; a multiple of 64 KiB, at most 4 GiB */
  constructor(bytes: number) {
    this.bytes = bytes;
    const pages = bytes / 65536;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.view = new DataView(buffer);
  }
}
