/* Entry at EL2, the exception vectors, and the switch into the guest at EL1. */

    .section .text.start, "ax"
    .global _start
_start:
    ldr     x1, =stack_top
    mov     sp, x1
    ldr     x1, =vectors
    msr     vbar_el2, x1
    /* QEMU loads the program again when the machine is reset, but leaves what is beyond the file as it was. */
    ldr     x1, =bss_start
    ldr     x2, =bss_end
2:  cmp     x1, x2
    b.hs    3f
    stp     xzr, xzr, [x1], #16
    b       2b
3:  bl      monitor_main
1:  b       1b

/* void enter_guest(uint64_t pc, uint64_t x0): every other register is zero; SPSR_EL2 and the rest are set by the caller. */
    .global enter_guest
enter_guest:
    ldr     x2, =stack_top
    mov     sp, x2
    msr     elr_el2, x0
    mov     x0, x1
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    mov     x\n, xzr
    .endr
    eret

    .macro each_register operation
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    \operation x\n, [sp, #8 * \n]
    .endr
    .endm

/* Keeps X0 to X30 in an array for guest_exit, then resumes. Floating point is the guest's own. */
guest_vector:
    sub     sp, sp, #256
    each_register str
    mov     x0, sp
    bl      guest_exit
    each_register ldr
    add     sp, sp, #256
    eret

own_vector:
    mrs     x0, esr_el2
    mrs     x1, elr_el2
    mrs     x2, far_el2
    bl      monitor_fault
1:  b       1b

    .balign 2048
vectors:
    .rept 8
    .balign 128
    b       own_vector
    .endr
    .rept 8
    .balign 128
    b       guest_vector
    .endr

    .section .noinit, "aw", %nobits
    .balign 16
    .skip 0x4000
stack_top:
