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
