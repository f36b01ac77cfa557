/* The stack pointer must be aligned to 16 bytes where it is used as a base address: SCTLR_EL1.SA is set. QEMU does not check it. */
#include "catch.h"
#include "tmk.h"

TMK_TEST(unaligned_sp, 0)
{
    install_vectors();
    uint64_t elr = CATCH(8, "mov x4, sp\n\tsub sp, sp, x2\n\t8: ldr x3, [sp]");
    __asm__ volatile("add sp, sp, #8");
    expect_exception(0x9a000000, elr, VECTOR_EL1H_SYNC);
}

/* The vectors of the runtime do not need the stack that is wrong. */
TMK_TEST(unaligned_sp_unexpected, TMK_EXPECTED_FAILURE)
{
    __asm__ volatile("sub sp, sp, #8\n\tldr x3, [sp]" : : : "x3", "memory");
    tmk_log("the stack pointer was not checked");
}
