/*
 * Entry of a TMK that is not ours, such as one in Rust: X0 holds the address of StartInput, and what every register holds then is
 * kept for the tests. No exception vectors are installed.
 */

#define R_AARCH64_RELATIVE 1027
#define CPACR_FPEN (3 << 20)

    .macro keep register, slot
    mrs     x2, \register
    str     x2, [x1, #8 * (32 + \slot)]
    .endm

    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    msr     tpidr_el1, x1
    adrp    x1, start_state
    add     x1, x1, :lo12:start_state
    str     x0, [x1]
    .irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    str     x\n, [x1, #8 * \n]
    .endr
    mrs     x2, tpidr_el1
    str     x2, [x1, #8]
    mov     x2, sp
    str     x2, [x1, #8 * 31]
    keep    sp_el0, 0
    keep    currentel, 1
    keep    daif, 2
    keep    spsel, 3
    keep    nzcv, 4
    keep    sctlr_el1, 5
    keep    cpacr_el1, 6
    keep    vbar_el1, 7
    keep    tcr_el1, 8
    keep    ttbr0_el1, 9
    keep    ttbr1_el1, 10
    keep    mair_el1, 11
    keep    esr_el1, 12
    keep    far_el1, 13
    keep    elr_el1, 14
    keep    spsr_el1, 15
    keep    contextidr_el1, 16
    keep    mpidr_el1, 17
    keep    tpidr_el0, 18
    keep    tpidrro_el0, 19
    keep    cntkctl_el1, 20
    keep    mdscr_el1, 21
    keep    par_el1, 22
    keep    csselr_el1, 23
    keep    cntv_ctl_el0, 24
    keep    amair_el1, 25
    keep    afsr0_el1, 26
    keep    afsr1_el1, 27

    mrs     x2, cpacr_el1
    orr     x2, x2, #CPACR_FPEN
    msr     cpacr_el1, x2
    isb
    keep    fpcr, 28
    keep    fpsr, 29
    adrp    x1, start_vectors
    add     x1, x1, :lo12:start_vectors
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str     q\n, [x1], #16
    .endr

    adrp    x1, tmk_stack_top
    add     x1, x1, :lo12:tmk_stack_top
    mov     sp, x1
    adrp    x1, tmk_image_start
    add     x1, x1, :lo12:tmk_image_start
    adrp    x2, tmk_rela_start
    add     x2, x2, :lo12:tmk_rela_start
    adrp    x3, tmk_rela_end
    add     x3, x3, :lo12:tmk_rela_end
1:  cmp     x2, x3
    b.hs    2f
    ldp     x4, x5, [x2]
    ldr     x6, [x2, #16]
    add     x2, x2, #24
    cmp     x5, #R_AARCH64_RELATIVE
    b.ne    3f
    add     x6, x6, x1
    str     x6, [x4, x1]
    b       1b

2:  mov     x29, xzr
    mov     x30, xzr
    bl      tmk_main
3:  brk     #0
    .size _start, . - _start

    .section .bss, "aw", %nobits
    .balign 16
    .global start_state
start_state:
    .skip   8 * 64
    .global start_vectors
start_vectors:
    .skip   16 * 32

    .section .bss.stack, "aw", %nobits
    .balign 16
    .global tmk_stack
    .type tmk_stack, %object
tmk_stack:
    .skip   0x8000
    .size tmk_stack, . - tmk_stack
    .global tmk_stack_top
tmk_stack_top:
