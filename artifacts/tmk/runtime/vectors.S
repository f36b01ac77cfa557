/*
 * The vectors that are in place unless a test installs others: an exception that nothing expects ends the test as a panic
 * (exceptions.c). Nothing returns from here, so general-purpose registers are not kept.
 */

    .section .text.vectors, "ax"
    .balign 2048
    .global tmk_vectors
    .type tmk_vectors, %object
tmk_vectors:
    .irp offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
    .balign 128
    mov     x0, #\offset
    b       take_exception
    .endr
    .balign 128
    .size tmk_vectors, . - tmk_vectors

/* Uses a separate stack: the exception may be caused by the stack. */
    .type take_exception, %function
take_exception:
    /* The stack pointer of what was interrupted: SP_EL1 of EL1h, otherwise SP_EL0. */
    mov     x1, sp
    mrs     x2, sp_el0
    sub     x3, x0, #0x200
    cmp     x3, #0x200
    csel    x1, x1, x2, lo
    mov     x6, x30
    mrs     x2, esr_el1
    mrs     x3, elr_el1
    mrs     x4, far_el1
    mrs     x5, spsr_el1

    adrp    x7, exceptions_taken
    add     x7, x7, :lo12:exceptions_taken
    ldr     x8, [x7]
    add     x9, x8, #1
    str     x9, [x7]
    cmp     x8, #1
    b.hi    1f
    adrp    x9, exception_stack_top
    add     x9, x9, :lo12:exception_stack_top
    mov     sp, x9
    mov     x29, xzr
    mov     x30, xzr
    cbnz    x8, 2f
    bl      tmk_exception
2:  bl      tmk_nested_exception

    /* Reporting failed too: cause an exit from which no monitor continues. */
1:  hvc     #0xdead
    b       1b
    .size take_exception, . - take_exception

    .section .bss, "aw", %nobits
    .balign 16
    .type exceptions_taken, %object
exceptions_taken:
    .skip   8
    .size exceptions_taken, 8
    .balign 16
    .type exception_stack, %object
exception_stack:
    .skip   0x2000
    .size exception_stack, . - exception_stack
exception_stack_top:
