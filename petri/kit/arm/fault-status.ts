/**
 * Names of the fault status codes in ESR_ELx.ISS[5:0] of instruction and data aborts (Arm ARM, ESR_ELx, IFSC and DFSC).
 */
const named: ReadonlyMap<number, string> = new Map([
  [0x10, 'synchronous external abort'],
  [0x11, 'synchronous tag check fault'],
  [0x13, 'external abort on table walk level -1'],
  [0x14, 'external abort on table walk level 0'],
  [0x15, 'external abort on table walk level 1'],
  [0x16, 'external abort on table walk level 2'],
  [0x17, 'external abort on table walk level 3'],
  [0x18, 'synchronous parity or ECC error'],
  [0x1b, 'parity or ECC error on table walk level -1'],
  [0x1c, 'parity or ECC error on table walk level 0'],
  [0x1d, 'parity or ECC error on table walk level 1'],
  [0x1e, 'parity or ECC error on table walk level 2'],
  [0x1f, 'parity or ECC error on table walk level 3'],
  [0x21, 'alignment fault'],
  [0x23, 'granule protection fault on table walk level -1'],
  [0x24, 'granule protection fault on table walk level 0'],
  [0x25, 'granule protection fault on table walk level 1'],
  [0x26, 'granule protection fault on table walk level 2'],
  [0x27, 'granule protection fault on table walk level 3'],
  [0x28, 'granule protection fault'],
  [0x29, 'address size fault level -1'],
  [0x2b, 'translation fault level -1'],
  [0x30, 'TLB conflict abort'],
  [0x31, 'unsupported atomic hardware update'],
  [0x34, 'implementation defined fault (lockdown)'],
  [0x35, 'implementation defined fault (unsupported exclusive or atomic access)'],
]);

/** Codes from 0 on, four for each fault: the low two bits are the level of the walk. */
const byLevel = ['address size fault', 'translation fault', 'access flag fault', 'permission fault'] as const;

export function faultStatusName(code: number): string {
  const kind = byLevel[code >> 2];
  if (kind !== undefined) return `${kind} level ${code & 3}`;
  return named.get(code) ?? `reserved fault status 0x${code.toString(16)}`;
}

/** A permission fault at any level. */
export function isPermissionFault(code: number): boolean {
  return code >> 2 === 3;
}
