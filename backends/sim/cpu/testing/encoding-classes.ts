/**
 * The index of A64 by encoding (Arm ARM, C4.1), as the decoder sees it: groups, their classes of encodings, and what an
 * absent feature leaves undefined in a class. Patterns are those of isa/encoding.ts; the first class that matches a
 * word is its class.
 */

/** Encodings of a class that a feature would allocate. */
export interface Absent {
  readonly instructions: string;
  readonly feature: string;
  readonly patterns: readonly string[];
}

export interface EncodingClass {
  readonly name: string;
  readonly pattern: string;
  /** The feature without which the whole class is undefined. */
  readonly feature?: string;
  readonly absent?: readonly Absent[];
}

export interface EncodingGroup {
  readonly name: string;
  readonly classes: readonly EncodingClass[];
}

type More = Pick<EncodingClass, 'feature' | 'absent'>;

function of(name: string, pattern: string, more: More = {}): EncodingClass {
  return { name, pattern, ...more };
}

function without(feature: string, instructions: string, ...patterns: readonly string[]): Absent {
  return { instructions, feature, patterns };
}

const R3 = 'Rm:5';
const ND = 'Rn:5 Rd:5';
const NT = 'Rn:5 Rt:5';

export const encodingGroups: readonly EncodingGroup[] = [
  {
    name: 'Reserved',
    classes: [
      of('Reserved', '0 xx 0000 xxxxxxxxx xxxxxxxxxxxxxxxx', { feature: 'UDF and unallocated encodings' }),
      of('SME encodings', '1 xx 0000 xxxxxxxxx xxxxxxxxxxxxxxxx', { feature: 'FEAT_SME' }),
      of('SVE encodings', 'xxx 0010 xxxxxxxxx xxxxxxxxxxxxxxxx', { feature: 'FEAT_SVE' }),
    ],
  },
  {
    name: 'Data Processing -- Immediate',
    classes: [
      of('Data-processing (1 source immediate)', '1 11 100111 opc:2 imm16:16 Rd:5', { feature: 'FEAT_PAuth_LR' }),
      of('PC-rel. addressing', 'op immlo:2 10000 immhi:19 Rd:5'),
      of('Add/subtract (immediate)', `sf op S 100010 sh imm12:12 ${ND}`),
      of('Add/subtract (immediate, with tags)', `sf op S 1000110 uimm6:6 op3:2 uimm4:4 ${ND}`, { feature: 'FEAT_MTE' }),
      of('Min/max (immediate)', `sf op S 1000111 opc:4 imm8:8 ${ND}`),
      of('Logical (immediate)', `sf opc:2 100100 N immr:6 imms:6 ${ND}`),
      of('Move wide (immediate)', 'sf opc:2 100101 hw:2 imm16:16 Rd:5'),
      of('Bitfield', `sf opc:2 100110 N immr:6 imms:6 ${ND}`),
      of('Extract', `sf op21:2 100111 N o0 ${R3} imms:6 ${ND}`),
    ],
  },
  {
    name: 'Branches, Exception Generating and System instructions',
    classes: [
      of('Conditional branch (immediate)', '01010100 imm19:19 o0 cond:4', {
        absent: [without('FEAT_HBC', 'BC.cond', '01010100 imm19:19 1 cond:4')],
      }),
      of('Miscellaneous branch (immediate)', '01010101 opc:3 imm16:16 op2:5', { feature: 'FEAT_PAuth_LR' }),
      of('Compare and branch (register, immediate)', 'sf 111010 x cc:3 xxxxxxxxxxxxxxxxxxxxx', {
        feature: 'FEAT_CMPBR',
      }),
      of('Exception generation', '11010100 opc:3 imm16:16 op2:3 LL:2', {
        absent: [
          without('FEAT_TME', 'TCANCEL', '11010100 011 imm16:16 00000'),
          without('no Debug state', 'DCPS1, DCPS2, DCPS3', '11010100 101 imm16:16 000 LL:2'),
        ],
      }),
      of('System instructions with register argument', '11010101000000110001 CRm:4 op2:3 Rt:5'),
      of('Hints', '11010101000000110010 CRm:4 op2:3 11111'),
      of('Barriers', '11010101000000110011 CRm:4 op2:3 Rt:5', {
        absent: [
          without('FEAT_XS', 'DSB nXS', '11010101000000110011 imm2:2 10 001 11111'),
          without('FEAT_TME', 'TCOMMIT', '11010101000000110011 0000 011 11111'),
        ],
      }),
      of('PSTATE', '1101010100000 op1:3 0100 CRm:4 op2:3 Rt:5', {
        absent: [
          without('FEAT_SME', 'SMSTART, SMSTOP', '1101010100000 011 0100 0 xxx 011 11111'),
          without('FEAT_MTE', 'MSR TCO', '1101010100000 011 0100 CRm:4 100 11111'),
          without('FEAT_NMI', 'MSR ALLINT', '1101010100000 001 0100 000x 000 11111'),
        ],
      }),
      of('System with result', '1101010100100 op1:3 CRn:4 CRm:4 op2:3 Rt:5', { feature: 'FEAT_TME' }),
      of('System instructions', '1101010100 L 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5', {
        absent: [
          without('reserved', 'SYSL', '1101010100 1 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5'),
          without(
            'FEAT_MTE',
            'DC GVA, DC GZVA',
            '1101010100 0 01 011 0111 0100 011 Rt:5',
            '1101010100 0 01 011 0111 0100 100 Rt:5',
          ),
          without('FEAT_SPECRES2', 'COSP RCTX', '1101010100 0 01 011 0111 0011 110 Rt:5'),
        ],
      }),
      of('System register move', '1101010100 L 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5', {
        absent: [
          without('FEAT_SVE', 'MRS, MSR ZCR_EL1', '1101010100 L 1 1 000 0001 0010 000 Rt:5'),
          without('FEAT_SME', 'MRS, MSR SVCR', '1101010100 L 1 1 011 0100 0010 010 Rt:5'),
          without(
            'FEAT_MTE',
            'MRS, MSR TCO, GCR_EL1, RGSR_EL1',
            '1101010100 L 1 1 011 0100 0010 111 Rt:5',
            '1101010100 L 1 1 000 0001 0000 11x Rt:5',
          ),
        ],
      }),
      of('System pair instructions', '1101010101 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5', { feature: 'FEAT_SYSINSTR128' }),
      of('System register pair move', '1101010101 L 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5', { feature: 'FEAT_SYSREG128' }),
      of('Unconditional branch (register)', '1101011 opc:4 op2:5 op3:6 Rn:5 op4:5', {
        absent: [
          without('no Debug state', 'DRPS', '1101011 0101 11111 000000 11111 00000'),
          without('FEAT_PAuth_LR', 'RETAASPPCR, RETABSPPCR', '1101011 0010 11111 00001 M 11111 00 xxx'),
        ],
      }),
      of('Unconditional branch (immediate)', 'op 00101 imm26:26'),
      of('Compare and branch (immediate)', 'sf 011010 op imm19:19 Rt:5'),
      of('Test and branch (immediate)', 'b5 011011 op b40:5 imm14:14 Rt:5'),
    ],
  },
  {
    name: 'Data Processing -- Register',
    classes: [
      of('Data-processing (2 source)', `sf 0 S 11010110 ${R3} opcode:6 ${ND}`, {
        absent: [
          without(
            'FEAT_MTE',
            'SUBP, SUBPS, IRG, GMI',
            `1 0 S 11010110 ${R3} 000000 ${ND}`,
            `1 0 0 11010110 ${R3} 00010 x ${ND}`,
          ),
        ],
      }),
      of('Data-processing (1 source)', `sf 1 S 11010110 opcode2:5 opcode:6 ${ND}`, {
        absent: [without('FEAT_PAuth_LR', 'PACIASPPC, AUTIASPPCR and the like', `1 1 0 11010110 00001 1 xxxxx ${ND}`)],
      }),
      of('Logical (shifted register)', `sf opc:2 01010 shift:2 N ${R3} imm6:6 ${ND}`),
      of('Add/subtract (shifted register)', `sf op S 01011 shift:2 0 ${R3} imm6:6 ${ND}`),
      of('Add/subtract (extended register)', `sf op S 01011 opt:2 1 ${R3} option:3 imm3:3 ${ND}`),
      of('Add/subtract (with carry)', `sf op S 11010000 ${R3} 000000 ${ND}`),
      of('Add/subtract (checked pointer)', `sf op S 11010000 ${R3} 001 imm3:3 ${ND}`, { feature: 'FEAT_CPA' }),
      of('Rotate right into flags', 'sf op S 11010000 imm6:6 00001 Rn:5 o2 mask:4'),
      of('Evaluate into flags', 'sf op S 11010000 opcode2:6 sz 0010 Rn:5 o3 mask:4'),
      of('Conditional compare (register)', `sf op S 11010010 ${R3} cond:4 0 o2 Rn:5 o3 nzcv:4`),
      of('Conditional compare (immediate)', 'sf op S 11010010 imm5:5 cond:4 1 o2 Rn:5 o3 nzcv:4'),
      of('Conditional select', `sf op S 11010100 ${R3} cond:4 op2:2 ${ND}`),
      of('Data-processing (3 source)', `sf op54:2 11011 op31:3 ${R3} o0 Ra:5 ${ND}`, {
        absent: [without('FEAT_CPA', 'MADDPT, MSUBPT', `1 00 11011 011 ${R3} o0 Ra:5 ${ND}`)],
      }),
    ],
  },
  {
    name: 'Data Processing -- Scalar Floating-Point and Advanced SIMD',
    classes: [
      of('Cryptographic AES', `01001110 size:2 10100 opcode:5 10 ${ND}`),
      of('Cryptographic three-register SHA', `01011110 size:2 0 ${R3} 0 opcode:3 00 ${ND}`),
      of('Cryptographic two-register SHA', `01011110 size:2 10100 opcode:5 10 ${ND}`),
      of('Advanced SIMD scalar copy', `01 op 11110000 imm5:5 0 imm4:4 1 ${ND}`),
      of('Advanced SIMD scalar three same FP16', `01 U 11110 a 10 ${R3} 00 opcode:3 1 ${ND}`),
      of('Advanced SIMD scalar two-register miscellaneous FP16', `01 U 11110 a 111100 opcode:5 10 ${ND}`),
      of('Advanced SIMD scalar three same extra', `01 U 11110 size:2 0 ${R3} 1 opcode:4 1 ${ND}`),
      of('Advanced SIMD scalar two-register miscellaneous', `01 U 11110 size:2 10000 opcode:5 10 ${ND}`),
      of('Advanced SIMD scalar pairwise', `01 U 11110 size:2 11000 opcode:5 10 ${ND}`),
      of('Advanced SIMD scalar three different', `01 U 11110 size:2 1 ${R3} opcode:4 00 ${ND}`),
      of('Advanced SIMD scalar three same', `01 U 11110 size:2 1 ${R3} opcode:5 1 ${ND}`),
      of('Advanced SIMD scalar shift by immediate', `01 U 111110 immh:4 immb:3 opcode:5 1 ${ND}`),
      of('Advanced SIMD scalar x indexed element', `01 U 11111 size:2 L M Rm:4 opcode:4 H 0 ${ND}`),
      of('Advanced SIMD table lookup', `0 Q 001110 op2:2 0 ${R3} 0 len:2 op 00 ${ND}`, {
        absent: [
          without(
            'FEAT_LUT',
            'LUTI2, LUTI4',
            `0 1 001110 01 0 ${R3} 0 xx x 00 ${ND}`,
            `0 1 001110 1x 0 ${R3} 0 xx 1 00 ${ND}`,
          ),
        ],
      }),
      of('Advanced SIMD permute', `0 Q 001110 size:2 0 ${R3} 0 opcode:3 10 ${ND}`),
      of('Advanced SIMD extract', `0 Q 101110 op2:2 0 ${R3} 0 imm4:4 0 ${ND}`),
      of('Advanced SIMD copy', `0 Q op 01110000 imm5:5 0 imm4:4 1 ${ND}`),
      of('Advanced SIMD three same (FP16)', `0 Q U 01110 a 10 ${R3} 00 opcode:3 1 ${ND}`, {
        absent: [
          without('FEAT_FAMINMAX', 'FAMAX, FAMIN', `0 Q U 01110 110 ${R3} 00 011 1 ${ND}`),
          without('FEAT_FP8', 'FSCALE', `0 Q 1 01110 110 ${R3} 00 111 1 ${ND}`),
        ],
      }),
      of('Advanced SIMD two-register miscellaneous (FP16)', `0 Q U 01110 a 111100 opcode:5 10 ${ND}`),
      of('Advanced SIMD three-register extension', `0 Q U 01110 size:2 0 ${R3} 1 opcode:4 1 ${ND}`, {
        absent: [
          without('FEAT_FP8DOT4, FEAT_FP8DOT2', 'FDOT (8-bit floating-point)', `0 Q 0 01110 0x 0 ${R3} 1 1111 1 ${ND}`),
          without('FEAT_FP8FMA', 'FMLALB, FMLALT (8-bit floating-point)', `0 Q 0 01110 11 0 ${R3} 1 1111 1 ${ND}`),
        ],
      }),
      of('Advanced SIMD two-register miscellaneous', `0 Q U 01110 size:2 10000 opcode:5 10 ${ND}`),
      of('Advanced SIMD across lanes', `0 Q U 01110 size:2 11000 opcode:5 10 ${ND}`),
      of('Advanced SIMD three different', `0 Q U 01110 size:2 1 ${R3} opcode:4 00 ${ND}`),
      of('Advanced SIMD three same', `0 Q U 01110 size:2 1 ${R3} opcode:5 1 ${ND}`, {
        absent: [
          without('FEAT_FAMINMAX', 'FAMAX, FAMIN', `0 Q U 01110 1x1 ${R3} 11011 1 ${ND}`),
          without('FEAT_FP8', 'FSCALE', `0 Q 1 01110 1x1 ${R3} 11111 1 ${ND}`),
        ],
      }),
      of('Advanced SIMD modified immediate', '0 Q op 0111100000 abc:3 cmode:4 o2 1 defgh:5 Rd:5'),
      of('Advanced SIMD shift by immediate', `0 Q U 011110 immh:4 immb:3 opcode:5 1 ${ND}`),
      of('Advanced SIMD vector x indexed element', `0 Q U 01111 size:2 L M Rm:4 opcode:4 H 0 ${ND}`),
      of('Cryptographic three-register, imm2', `11001110010 ${R3} 10 imm2:2 opcode:2 ${ND}`),
      of('Cryptographic three-register SHA 512', `11001110011 ${R3} 1 O 00 opcode:2 ${ND}`),
      of('Cryptographic four-register', `110011100 Op0:2 ${R3} 0 Ra:5 ${ND}`),
      of('XAR', `11001110100 ${R3} imm6:6 ${ND}`),
      of('Cryptographic two-register SHA 512', `11001110110000001000 opcode:2 ${ND}`),
      of('Conversion between floating-point and fixed-point', `sf 0 S 11110 ptype:2 0 rmode:2 opcode:3 scale:6 ${ND}`),
      of('Conversion between floating-point and integer', `sf 0 S 11110 ptype:2 1 rmode:2 opcode:3 000000 ${ND}`),
      of('Floating-point data-processing (1 source)', `M 0 S 11110 ptype:2 1 opcode:6 10000 ${ND}`),
      of('Floating-point compare', `M 0 S 11110 ptype:2 1 ${R3} op:2 1000 Rn:5 opcode2:5`),
      of('Floating-point immediate', 'M 0 S 11110 ptype:2 1 imm8:8 100 imm5:5 Rd:5'),
      of('Floating-point conditional compare', `M 0 S 11110 ptype:2 1 ${R3} cond:4 01 Rn:5 op nzcv:4`),
      of('Floating-point data-processing (2 source)', `M 0 S 11110 ptype:2 1 ${R3} opcode:4 10 ${ND}`),
      of('Floating-point conditional select', `M 0 S 11110 ptype:2 1 ${R3} cond:4 11 ${ND}`),
      of('Floating-point data-processing (3 source)', `M 0 S 11111 ptype:2 o1 ${R3} o0 Ra:5 ${ND}`),
    ],
  },
  {
    name: 'Loads and Stores',
    classes: [
      of('Compare and swap pair', `0 sz 001000 0 L 1 Rs:5 o0 Rt2:5 ${NT}`),
      of('Advanced SIMD load/store multiple structures', `0 Q 0011000 L 000000 opcode:4 size:2 ${NT}`),
      of('Advanced SIMD load/store multiple structures (post-indexed)', `0 Q 0011001 L 0 ${R3} opcode:4 size:2 ${NT}`),
      of('Advanced SIMD load/store single structure', `0 Q 0011010 L R 0000 o2 opcode:3 S size:2 ${NT}`),
      of('Advanced SIMD load/store single structure (post-indexed)', `0 Q 0011011 L R ${R3} opcode:3 S size:2 ${NT}`),
      of('RCW compare and swap', `0 S 011001 A R 1 Rs:5 00001 x ${NT}`, { feature: 'FEAT_THE' }),
      of('128-bit atomic memory operations', `0 S 011001 A R 1 Rt2:5 o3 opc:3 00 ${NT}`, { feature: 'FEAT_LSE128' }),
      of('Unprivileged atomics and compare and swap', `size:2 001001 xxxxxxxx xxxxxx ${NT}`, { feature: 'FEAT_LSUI' }),
      of('Memory tags', `11011001 opc:2 1 imm9:9 op2:2 ${NT}`, { feature: 'FEAT_MTE' }),
      of('Load/store exclusive pair', `1 sz 001000 0 L 1 Rs:5 o0 Rt2:5 ${NT}`),
      of('Load/store exclusive register', `size:2 001000 0 L 0 Rs:5 o0 Rt2:5 ${NT}`),
      of('Load/store ordered', `size:2 001000 1 L 0 Rs:5 o0 Rt2:5 ${NT}`),
      of('Compare and swap', `size:2 001000 1 L 1 Rs:5 o0 Rt2:5 ${NT}`),
      of('LDIAPP/STILP', `1 sz 011001 0 L 0 Rt2:5 opc2:4 10 ${NT}`),
      of('LDAPR/STLR (writeback)', `1 sz 011001 1 L 0 000000000 10 ${NT}`),
      of('LDAPR/STLR (unscaled immediate)', `size:2 011001 opc:2 0 imm9:9 00 ${NT}`),
      of('LDAPR/STLR (SIMD&FP)', `size:2 011101 opc:2 0 imm9:9 10 ${NT}`),
      of('Memory Copy and Memory Set', `size:2 011 o0 01 op1:2 0 Rs:5 op2:4 01 ${ND}`, {
        absent: [without('FEAT_MTE', 'SETGP, SETGM, SETGE', `size:2 011 1 01 11 0 Rs:5 op2:4 01 ${ND}`)],
      }),
      of('Load register (literal)', 'opc:2 011 VR 00 imm19:19 Rt:5'),
      of('Load/store no-allocate pair (offset)', `opc:2 101 VR 000 L imm7:7 Rt2:5 ${NT}`),
      of('Load/store register pair (post-indexed)', `opc:2 101 VR 001 L imm7:7 Rt2:5 ${NT}`, {
        absent: [without('FEAT_MTE', 'STGP', `01 101 0 001 0 imm7:7 Rt2:5 ${NT}`)],
      }),
      of('Load/store register pair (offset)', `opc:2 101 VR 010 L imm7:7 Rt2:5 ${NT}`, {
        absent: [without('FEAT_MTE', 'STGP', `01 101 0 010 0 imm7:7 Rt2:5 ${NT}`)],
      }),
      of('Load/store register pair (pre-indexed)', `opc:2 101 VR 011 L imm7:7 Rt2:5 ${NT}`, {
        absent: [without('FEAT_MTE', 'STGP', `01 101 0 011 0 imm7:7 Rt2:5 ${NT}`)],
      }),
      of('Load/store register (unscaled immediate)', `size:2 111 VR 00 opc:2 0 imm9:9 00 ${NT}`),
      of('Load/store register (immediate post-indexed)', `size:2 111 VR 00 opc:2 0 imm9:9 01 ${NT}`),
      of('Load/store register (unprivileged)', `size:2 111 VR 00 opc:2 0 imm9:9 10 ${NT}`),
      of('Load/store register (immediate pre-indexed)', `size:2 111 VR 00 opc:2 0 imm9:9 11 ${NT}`),
      of('Atomic memory operations', `size:2 111 VR 00 A R 1 Rs:5 o3 opc:3 00 ${NT}`, {
        absent: [
          without(
            'FEAT_LS64',
            'LD64B, ST64B, ST64BV, ST64BV0',
            `11 111 0 00 00 1 Rs:5 1 x01 00 ${NT}`,
            `11 111 0 00 00 1 Rs:5 1 010 00 ${NT}`,
          ),
          without(
            'FEAT_THE',
            'RCWCLR, RCWSET, RCWSWP',
            `0x 111 0 00 A R 1 Rs:5 1 001 00 ${NT}`,
            `0x 111 0 00 A R 1 Rs:5 1 01x 00 ${NT}`,
          ),
          without('FEAT_LSFE', 'LDFADD and the like', `size:2 111 1 00 A R 1 Rs:5 o3 opc:3 00 ${NT}`),
        ],
      }),
      of('Load/store register (register offset)', `size:2 111 VR 00 opc:2 1 ${R3} option:3 S 10 ${NT}`),
      of('Load/store register (pac)', `size:2 111 VR 00 M S 1 imm9:9 W 1 ${NT}`),
      of('Load/store register (unsigned immediate)', `size:2 111 VR 01 opc:2 imm12:12 ${NT}`),
    ],
  },
];
