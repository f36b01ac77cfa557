/* For tests of exceptions that the guest takes itself: vectors that record one, and continue after its instruction. */
#ifndef CATCH_H
#define CATCH_H

#include "tmk.h"

/* What the handler recorded. The assembly below depends on its layout. */
static struct {
    uint64_t scratch[4];
    uint64_t count;
    uint64_t esr;
    uint64_t elr;
    uint64_t far;
    uint64_t spsr;
    uint64_t vector;
    uint64_t resume;
} caught __asm__("caught") __attribute__((used));

void __attribute__((used)) unexpected_exception(void)
{
    tmk_panic("unexpected exception: ESR_EL1 0x%lx, ELR_EL1 0x%lx, FAR_EL1 0x%lx, vector 0x%lx", caught.esr, caught.elr,
              caught.far, caught.vector);
}

/*
 * Notes the exception and goes on at `resume`, at EL1, once. Uses no stack: the exception may be about the stack. TPIDR_EL1 and
 * TPIDRRO_EL0 hold X0 and X1 meanwhile.
 */
__asm__(".pushsection .text\n"
        ".balign 2048\n"
        "exception_vectors:\n"
        ".irp offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780\n"
        ".balign 128\n"
        "msr tpidr_el1, x0\n"
        "msr tpidrro_el0, x1\n"
        "mov x1, #\\offset\n"
        "b handle_exception\n"
        ".endr\n"
        ".balign 128\n"
        ".type handle_exception, %function\n"
        "handle_exception:\n"
        "adrp x0, caught\n"
        "add x0, x0, :lo12:caught\n"
        "str x1, [x0, #72]\n"
        "mrs x1, esr_el1\n"
        "str x1, [x0, #40]\n"
        "mrs x1, elr_el1\n"
        "str x1, [x0, #48]\n"
        "mrs x1, far_el1\n"
        "str x1, [x0, #56]\n"
        "mrs x1, spsr_el1\n"
        "str x1, [x0, #64]\n"
        "ldr x1, [x0, #32]\n"
        "add x1, x1, #1\n"
        "str x1, [x0, #32]\n"
        "ldr x1, [x0, #80]\n"
        "cbz x1, 1f\n"
        "str xzr, [x0, #80]\n"
        "msr elr_el1, x1\n"
        "mov x1, #0x3c5\n"
        "msr spsr_el1, x1\n"
        "mrs x1, tpidrro_el0\n"
        "mrs x0, tpidr_el1\n"
        "eret\n"
        "1: adrp x0, tmk_stack_top\n"
        "add x0, x0, :lo12:tmk_stack_top\n"
        "msr spsel, #1\n"
        "mov sp, x0\n"
        "b unexpected_exception\n"
        ".size handle_exception, . - handle_exception\n"
        ".popsection\n");

static void install_vectors(void)
{
    uint64_t vectors;
    __asm__("adrp %0, exception_vectors\n\tadd %0, %0, :lo12:exception_vectors" : "=r"(vectors));
    tmk_sysreg_write(vbar_el1, vectors);
}

/* Runs instructions that end in an exception, with `operand` in X2. Returns the address of label 8 in them. */
#define CATCH(operand, instructions)                                                                                    \
    ({                                                                                                                  \
        register uint64_t operand_in_x2 __asm__("x2") = (uint64_t)(operand);                                            \
        uint64_t label, resume;                                                                                         \
        caught.count = 0;                                                                                               \
        __asm__ volatile("adr %1, 8f\n\t"                                                                               \
                         "adr %2, 9f\n\t"                                                                               \
                         "str %2, %3\n\t" instructions "\n"                                                             \
                         "9:"                                                                                           \
                         : "+r"(operand_in_x2), "=&r"(label), "=&r"(resume), "=m"(caught.resume)                        \
                         :                                                                                              \
                         : "x3", "x4", "v0", "memory", "cc");                                                           \
        label;                                                                                                          \
    })

static void __attribute__((unused)) expect_exception(uint64_t esr, uint64_t elr, uint64_t vector)
{
    tmk_expect_eq(caught.count, 1);
    tmk_expect_eq(caught.esr, esr);
    tmk_expect_eq(caught.elr, elr);
    tmk_expect_eq(caught.vector, vector);
}

enum { VECTOR_EL1H_SYNC = 0x200, VECTOR_EL0_SYNC = 0x400 };

#endif
