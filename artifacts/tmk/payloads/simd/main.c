/* SIMD and floating point, instruction by instruction, each against what another machine gives. */
#include "vector-state.h"

/* X19 is the state while a form runs; X16 and X17 are its to change. */
__asm__(".pushsection .text\n"
        ".global run_vector\n"
        ".type run_vector, %function\n"
        "run_vector:\n"
        "stp x19, x30, [sp, #-16]!\n"
        "mov x19, x1\n"
        "mov x16, x0\n"
        "ldr x17, [x19, #32]\n"
        "msr nzcv, x17\n"
        "ldr x17, [x19, #40]\n"
        "msr fpsr, x17\n"
        "ldp q0, q1, [x19, #48]\n"
        "ldp q2, q3, [x19, #80]\n"
        "ldr q4, [x19, #112]\n"
        "ldp x0, x1, [x19]\n"
        "ldp x2, x3, [x19, #16]\n"
        "blr x16\n"
        "mrs x17, nzcv\n"
        "str x17, [x19, #32]\n"
        "mrs x17, fpsr\n"
        "str x17, [x19, #40]\n"
        "stp q0, q1, [x19, #48]\n"
        "stp q2, q3, [x19, #80]\n"
        "str q4, [x19, #112]\n"
        "stp x0, x1, [x19]\n"
        "stp x2, x3, [x19, #16]\n"
        "ldp x19, x30, [sp], #16\n"
        "ret\n"
        ".size run_vector, . - run_vector\n"
        ".popsection\n");

_Static_assert(__builtin_offsetof(struct vector_state, v) == 48, "known to run_vector");

const operand_table integer_operands = {
    { 0, 0xffffffffffffffff },
    { 0x7f80ff0100fe7e81, 0x8000000000000001 },
    { 0x7fff8000ffff0001, 0x00017ffe80018002 },
    { 0x7fffffff80000000, 0x0000000180000001 },
    { 0x7fffffffffffffff, 0x8000000000000000 },
    { 0x0706050403020100, 0x1f0e1d0c1b0a1908 },
    { 0x0123456789abcdef, 0xfedcba9876543210 },
    { 0xc3a5c85c97cb3127, 0xb492b66fbe98f273 },
};

/* One and others near it, large and small, subnormal, zeros, infinities, NaNs of both kinds, halves that round. */
const operand_table double_operands = {
    { 0x3ff0000000000000, 0xbff8000000000000 },
    { 0x400921fb54442d18, 0x7fefffffffffffff },
    { 0x0000000000000001, 0x8010000000000000 },
    { 0x0000000000000000, 0x8000000000000000 },
    { 0x7ff0000000000000, 0xfff0000000000000 },
    { 0x7ff8000000000123, 0xfff4000000000456 },
    { 0x41dfffffffc00000, 0xc3e0000000000000 },
    { 0x4004000000000000, 0xc16312d0a0000000 },
};

const operand_table single_operands = {
    { 0xbfc000003f800000, 0x3f80000140490fdb },
    { 0x7f7fffff00800000, 0xff7fffff807fffff },
    { 0x8000000000000000, 0x0000000180000001 },
    { 0xff8000007f800000, 0x3f0000007f800000 },
    { 0xffa004567fc00123, 0x7f800001ffffffff },
    { 0xcf0000004f000000, 0x5f8000004effffff },
    { 0xc020000040200000, 0x3effffffc2f6e979 },
    { 0x33d6bf95497423f8, 0x4b7fffff1e3ce508 },
};

/* FPCR.DN. */
TMK_TEST(default_nan, 0)
{
    uint64_t result;
    __asm__ volatile("msr fpcr, %1\n\tfmov d0, %2\n\tfadd d0, d0, d0\n\tmsr fpcr, xzr\n\tfmov %0, d0"
                     : "=r"(result)
                     : "r"(1ul << 25), "r"(0x7ff8000000000123ul)
                     : "v0");
    tmk_expect_eq(result, 0x7ff8000000000000);
}
