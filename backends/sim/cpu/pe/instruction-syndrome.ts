/**
 * Instruction-specific syndrome of data aborts, from the instruction word, and of trapped accesses to system registers.
 */

const ISV = 1 << 24;
const SSE = 1 << 21;
const SF = 1 << 15;
const AR = 1 << 14;
const WNR = 1 << 6;

/**
 * ISS of a data abort to EL2, without DFSC (Arm ARM, D24.2.40, ISS encoding for an exception from a Data Abort): ISV
 * and the fields that it validates, for loads and stores of one general-purpose register without write-back, except
 * exclusives.
 */
export function dataAbortIss(word: number, write: boolean): number {
  return (write ? WNR : 0) | transferIss(word);
}

function transferIss(word: number): number {
  const size = word >>> 30;
  const rt = word & 31;
  if ((word & 0x3f00_0000) === 0x0800_0000) {
    // Ordered loads and stores: o2 = 1, o1 = 0.
    if ((word & 0x00a0_0000) !== 0x0080_0000) return 0;
    return ISV | AR | (size << 22) | (rt << 16) | (size === 3 ? SF : 0);
  }
  if ((word & 0x3f20_0c00) === 0x1900_0000) {
    // LDAPUR, STLUR.
    const opc = (word >>> 22) & 3;
    const wide = opc === 2 || (opc < 2 && size === 3);
    return ISV | AR | (size << 22) | (opc >= 2 ? SSE : 0) | (rt << 16) | (wide ? SF : 0);
  }
  if ((word & 0x3b00_0000) === 0x1800_0000) {
    // Literals: 32 bits, 64 bits, signed word.
    if ((word & (1 << 26)) !== 0 || size === 3) return 0;
    return ISV | ((size === 1 ? 3 : 2) << 22) | (rt << 16) | (size === 0 ? 0 : SF) | (size === 2 ? SSE : 0);
  }
  if ((word & 0x3a00_0000) !== 0x3800_0000 || (word & (1 << 26)) !== 0) return 0;
  if ((word & 0x0100_0000) === 0) {
    const form = (word >>> 10) & 3;
    const register = (word & (1 << 21)) !== 0;
    // LDRAA, LDRAB without write-back.
    if (register && form === 1 && size === 3) return ISV | (size << 22) | (rt << 16) | SF;
    // Post- and pre-indexed forms write back; atomics have no syndrome; LDAPR has one.
    if (register && form === 0) {
      const ldapr = (word & 0x0020_fc00) === 0x0020_c000;
      return ldapr ? ISV | AR | (size << 22) | (rt << 16) | (size === 3 ? SF : 0) : 0;
    }
    if (register ? form !== 2 : form === 1 || form === 3) return 0;
  }
  const opc = (word >>> 22) & 3;
  const signed = opc >= 2;
  const wide = signed ? opc === 2 : size === 3;
  return ISV | (size << 22) | (signed ? SSE : 0) | (rt << 16) | (wide ? SF : 0);
}

/**
 * ISS of a trapped MRS, MSR or SYS (Arm ARM, D24.2.40, ISS encoding for an exception from MSR, MRS, or System
 * instruction execution).
 *
 * @param encoding as `encodeSysreg` returns it
 * @param rt number of the general-purpose register
 */
export function accessIss(encoding: number, rt: number, read: boolean): number {
  const op0 = encoding >> 14;
  const op1 = (encoding >> 11) & 7;
  const crn = (encoding >> 7) & 15;
  const crm = (encoding >> 3) & 15;
  const op2 = encoding & 7;
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | (read ? 1 : 0);
}
