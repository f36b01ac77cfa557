/**
 * FEAT_BTI: whether an indirect branch may go to an instruction of a guarded page (Arm ARM, BTypeCompatible_BTI and
 * BTypeCompatible_PACIXSP of the shared pseudocode).
 *
 * @param word the instruction
 * @param type PSTATE.BTYPE
 * @param strict SCTLR_EL1.BT0 at EL0, BT1 at EL1: jumps may not go to PACIASP and PACIBSP
 */
export function acceptsBranch(word: number, type: number, strict: boolean): boolean {
  // BRK and HLT are taken for what they are.
  if ((word & 0xffe0_001f) >>> 0 === 0xd420_0000 || (word & 0xffe0_001f) >>> 0 === 0xd440_0000) return true;
  switch (word >>> 0) {
    case PACIASP:
    case PACIBSP:
      return type !== JUMP || !strict;
    case BTI_C:
      return type !== JUMP;
    case BTI_J:
      return type !== CALL;
    case BTI_JC:
      return true;
    default:
      return false;
  }
}

const CALL = 2;
const JUMP = 3;
const PACIASP = 0xd503_233f;
const PACIBSP = 0xd503_237f;
const BTI_C = 0xd503_245f;
const BTI_J = 0xd503_249f;
const BTI_JC = 0xd503_24df;
