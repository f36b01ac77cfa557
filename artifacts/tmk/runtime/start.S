/*
 * Entry of a TMK (test microkernel): X0 holds the address of StartInput, the MMU is off, every other register is zero.
 *
 * Installs the exception vectors, sets up the stack and floating point, relocates the image to where it was loaded, and calls
 * tmk_main.
 */

#define R_AARCH64_RELATIVE 1027
#define CPACR_FPEN (3 << 20)

    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    adrp    x1, tmk_vectors
    add     x1, x1, :lo12:tmk_vectors
    msr     vbar_el1, x1
    adrp    x1, tmk_stack_top
    add     x1, x1, :lo12:tmk_stack_top
    mov     sp, x1

    /* Tests may use FP and SIMD, which must not trap to EL1. */
    mrs     x1, cpacr_el1
    orr     x1, x1, #CPACR_FPEN
    msr     cpacr_el1, x1
    isb

    /* The image is linked at address 0, so its start is the offset for relocations. */
    adrp    x1, tmk_image_start
    add     x1, x1, :lo12:tmk_image_start
    adrp    x2, tmk_rela_start
    add     x2, x2, :lo12:tmk_rela_start
    adrp    x3, tmk_rela_end
    add     x3, x3, :lo12:tmk_rela_end
1:  cmp     x2, x3
    b.hs    2f
    ldp     x4, x5, [x2]            /* r_offset, r_info */
    ldr     x6, [x2, #16]           /* r_addend */
    add     x2, x2, #24
    cmp     x5, #R_AARCH64_RELATIVE /* with symbol 0 in the upper half */
    b.ne    3f
    add     x6, x6, x1
    str     x6, [x4, x1]
    b       1b

2:  mov     x29, xzr
    mov     x30, xzr
    bl      tmk_main
3:  brk     #0
    .size _start, . - _start

    .section .bss.stack, "aw", %nobits
    .balign 16
    .global tmk_stack
    .type tmk_stack, %object
tmk_stack:
    .skip   0x8000
    .size tmk_stack, . - tmk_stack
    .global tmk_stack_top
tmk_stack_top:
