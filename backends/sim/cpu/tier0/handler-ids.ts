/**
 * Indices into a machine's handler table, which a record holds in 16 bits. Handlers of instructions and compiled blocks
 * have disjoint sets of ids: a handler keeps its id for the life of the process, a block's id belongs to one machine.
 *
 * Each module that is instantiated copies its machine's table, so both kinds start at the bottom: first room for common
 * handlers, then one place in four for other handlers and three for blocks.
 */
const ID_LIMIT = 65_536;
const COMMON = 768;
const STRIDE = 4;

/** Maximum numbers of handlers and blocks; instructions have some 4,700 variants. */
export const MAX_HANDLERS = COMMON + (ID_LIMIT - COMMON) / STRIDE;
export const MAX_BLOCKS = ((ID_LIMIT - COMMON) / STRIDE) * (STRIDE - 1);

/** Id of the nth handler. */
export function handlerId(n: number): number {
  return n < COMMON ? n : COMMON + (n - COMMON) * STRIDE;
}

/** Number of a handler, from its id. */
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
