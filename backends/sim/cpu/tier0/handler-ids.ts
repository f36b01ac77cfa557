/**
 * Places in a machine's handler table, which a record names in 16 bits. Handlers of instructions and compiled blocks
 * have ranges of their own that never meet: a handler has one id for the life of the process, and a block's ids belong
 * to one machine.
 *
 * Each module that is instantiated takes a copy of its machine's table, so both begin at the bottom: first room for the
 * handlers that programs commonly have, then one place in four for the others and three for blocks.
 */
const ID_LIMIT = 65_536;
const COMMON = 768;
const STRIDE = 4;

/** Handlers and blocks that there can be; instructions have some 4,700 variants. */
export const MAX_HANDLERS = COMMON + (ID_LIMIT - COMMON) / STRIDE;
export const MAX_BLOCKS = ((ID_LIMIT - COMMON) / STRIDE) * (STRIDE - 1);

/** Id of the nth handler that was made. */
export function handlerId(n: number): number {
  return n < COMMON ? n : COMMON + (n - COMMON) * STRIDE;
}

/** Number of a handler by its id. */
export function handlerNumber(id: number): number {
  return id < COMMON ? id : COMMON + (id - COMMON) / STRIDE;
}

/** Id of a machine's nth block. */
export function blockId(n: number): number {
  return COMMON + Math.floor(n / (STRIDE - 1)) * STRIDE + 1 + (n % (STRIDE - 1));
}

export function isBlock(id: number): boolean {
  return id >= COMMON && (id - COMMON) % STRIDE !== 0;
}
