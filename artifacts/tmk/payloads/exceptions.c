/* Exceptions that the guest takes itself, at EL1 and from EL0: syndrome, return address and saved state of each. */
#include "catch.h"
#include "tmk.h"

TMK_TEST(initial_state, 0)
{
    tmk_expect_eq(tmk_sysreg_read(currentel), 1 << 2);
    tmk_expect_eq(tmk_sysreg_read(daif), 0x3c0);
    tmk_expect_eq(tmk_sysreg_read(spsel), 1);
    tmk_expect_eq(tmk_sysreg_read(sctlr_el1) & 0x1005, 0);
}

TMK_TEST(supervisor_call, 0)
{
    install_vectors();
    uint64_t elr = CATCH(0, "svc #7\n8:");
    expect_exception(0x56000007, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.spsr & ~0xf0000000ul, 0x3c5);
}

TMK_TEST(breakpoint, 0)
{
    install_vectors();
    uint64_t elr = CATCH(0, "8: brk #5");
    expect_exception(0xf2000005, elr, VECTOR_EL1H_SYNC);
}

TMK_TEST(undefined, 0)
{
    install_vectors();
    uint64_t elr = CATCH(0, "8: udf #0");
    expect_exception(0x02000000, elr, VECTOR_EL1H_SYNC);
    elr = CATCH(0, "8: .inst 0xffffffff");
    expect_exception(0x02000000, elr, VECTOR_EL1H_SYNC);
}

TMK_TEST(flags_are_saved, 0)
{
    install_vectors();
    CATCH(0xf0000000, "msr nzcv, x2\n\tsvc #0\n8:");
    tmk_expect_eq(caught.spsr, 0xf00003c5);
    CATCH(0x60000000, "msr nzcv, x2\n\tsvc #0\n8:");
    tmk_expect_eq(caught.spsr, 0x600003c5);
}

TMK_TEST(daif_is_saved, 0)
{
    install_vectors();
    CATCH(0, "msr daifclr, #8\n\tsvc #0\n8:");
    tmk_expect_eq(caught.spsr & 0x3ff, 0x1c5);
    tmk_expect_eq(tmk_sysreg_read(daif), 0x3c0);
}

TMK_TEST(stack_pointer_0, 0)
{
    install_vectors();
    CATCH(0, "msr spsel, #0\n\tsvc #0\n8:");
    tmk_expect_eq(caught.spsr & 0x3ff, 0x3c4);
    tmk_expect_eq(caught.vector, 0x000);
}

static uint64_t words[4];

TMK_TEST(unaligned_load, 0)
{
    install_vectors();
    /* SCTLR_EL1.A: memory is a device while the MMU is off, and would fault without it too. */
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 2);
    uint64_t address = (uint64_t)words + 1;
    uint64_t elr = CATCH(address, "8: ldr x3, [x2]");
    expect_exception(0x96000021, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.far, address);
}

TMK_TEST(unaligned_store, 0)
{
    install_vectors();
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 2);
    uint64_t address = (uint64_t)words + 2;
    uint64_t elr = CATCH(address, "8: str w3, [x2]");
    expect_exception(0x96000061, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.far, address);
}

TMK_TEST(unaligned_exclusive, 0)
{
    install_vectors();
    uint64_t address = (uint64_t)words + 4;
    uint64_t elr = CATCH(address, "8: ldxr x3, [x2]");
    expect_exception(0x96000021, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.far, address);
}

TMK_TEST(unaligned_pc, 0)
{
    install_vectors();
    uint64_t address = (uint64_t)words + 2;
    CATCH(address, "8: br x2");
    expect_exception(0x8a000000, address, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.far, address);
}

TMK_TEST(floating_point_trap, 0)
{
    install_vectors();
    uint64_t cpacr = tmk_sysreg_read(cpacr_el1);
    tmk_sysreg_write(cpacr_el1, 0);
    uint64_t elr = CATCH(0, "8: fmov d0, #1.0");
    uint64_t esr = caught.esr;
    tmk_sysreg_write(cpacr_el1, cpacr);
    expect_exception(0x1fe00000, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(esr >> 26, 0x07);
    elr = CATCH(0, "fmov d0, #1.0\n\tsvc #1\n8:");
    expect_exception(0x56000001, elr, VECTOR_EL1H_SYNC);
}

/* A return to a mode that there is not: state stays, and the next instruction is refused. */
TMK_TEST(illegal_return, 0)
{
    install_vectors();
    uint64_t elr = CATCH(0x3c2, "msr spsr_el1, x2\n\tadr x3, 8f\n\tmsr elr_el1, x3\n\teret\n8: nop");
    expect_exception(0x3a000000, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.spsr >> 20 & 1, 1);
}

/* Goes to EL0 for the instructions after the label 7. */
#define AT_EL0(operand, instructions)                                                                                   \
    CATCH(operand, "msr spsr_el1, xzr\n\tadr x3, 7f\n\tmsr elr_el1, x3\n\tmov x4, sp\n\tmsr sp_el0, x4\n\teret\n7: " instructions)

TMK_TEST(el0_and_back, 0)
{
    install_vectors();
    uint64_t elr = AT_EL0(0, "svc #3\n8:");
    expect_exception(0x56000003, elr, VECTOR_EL0_SYNC);
    tmk_expect_eq(caught.spsr & 0x3ff, 0);
    tmk_expect_eq(tmk_sysreg_read(currentel), 1 << 2);
}

TMK_TEST(el0_memory, 0)
{
    install_vectors();
    words[0] = 0x1122334455667788;
    words[1] = 0;
    AT_EL0(words, "ldr x3, [x2]\n\tstr x3, [x2, #8]\n\tsvc #0\n8:");
    tmk_expect_eq(words[1], 0x1122334455667788);
}

TMK_TEST(el0_privileges, 0)
{
    install_vectors();
    uint64_t elr = AT_EL0(0, "8: mrs x3, sctlr_el1");
    expect_exception(0x02000000, elr, VECTOR_EL0_SYNC);
    elr = AT_EL0(0, "8: hvc #0");
    expect_exception(0x02000000, elr, VECTOR_EL0_SYNC);
    elr = AT_EL0(0, "8: eret");
    expect_exception(0x02000000, elr, VECTOR_EL0_SYNC);
}

/* SCTLR_EL1.UCT is 0: reading CTR_EL0 at EL0 traps, with the register in the syndrome. */
TMK_TEST(el0_system_register_trap, 0)
{
    install_vectors();
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) & ~(1ul << 15));
    uint64_t elr = AT_EL0(0, "8: mrs x3, ctr_el0");
    /* op0 3, op2 1, op1 3, CRn 0, Rt 3, CRm 0, read. */
    expect_exception(0x18ul << 26 | 1ul << 25 | 3ul << 20 | 1ul << 17 | 3ul << 14 | 3ul << 5 | 1, elr, VECTOR_EL0_SYNC);
}

#define EXPECT_HOLDS(name, value)                                                                                       \
    do {                                                                                                                \
        tmk_sysreg_write(name, value);                                                                                  \
        tmk_expect_eq(tmk_sysreg_read(name), value);                                                                    \
    } while (0)

TMK_TEST(system_registers_hold, 0)
{
    EXPECT_HOLDS(tpidr_el0, 0x0123456789abcdef);
    EXPECT_HOLDS(tpidr_el1, 0xfedcba9876543210);
    EXPECT_HOLDS(tpidrro_el0, 0x5555aaaa5555aaaa);
    EXPECT_HOLDS(contextidr_el1, 0x89abcdef);
    EXPECT_HOLDS(mair_el1, 0xff440c0400ff4404);
    EXPECT_HOLDS(ttbr0_el1, 0x40001000);
    EXPECT_HOLDS(elr_el1, 0x80001234);
    EXPECT_HOLDS(far_el1, 0xffff000012345678);
    EXPECT_HOLDS(esr_el1, 0x56000001);
    EXPECT_HOLDS(sp_el0, 0x80002000);
    EXPECT_HOLDS(vbar_el1, 0x80000800);
    EXPECT_HOLDS(csselr_el1, 0);
}

TMK_TEST(identification, 0)
{
    tmk_log("MIDR_EL1 0x%lx, MPIDR_EL1 0x%lx, CTR_EL0 0x%lx, DCZID_EL0 0x%lx", tmk_sysreg_read(midr_el1),
            tmk_sysreg_read(mpidr_el1), tmk_sysreg_read(ctr_el0), tmk_sysreg_read(dczid_el0));
    tmk_log("ID_AA64PFR0_EL1 0x%lx, ID_AA64ISAR0_EL1 0x%lx, ID_AA64MMFR0_EL1 0x%lx", tmk_sysreg_read(id_aa64pfr0_el1),
            tmk_sysreg_read(id_aa64isar0_el1), tmk_sysreg_read(id_aa64mmfr0_el1));
    /* EL0 and EL1 are AArch64; FP and AdvSIMD are there; LSE atomics and CRC32 are there. */
    tmk_assert((tmk_sysreg_read(id_aa64pfr0_el1) & 0xff) != 0);
    tmk_assert((tmk_sysreg_read(id_aa64pfr0_el1) >> 16 & 0xff) != 0xff);
    tmk_assert((tmk_sysreg_read(id_aa64isar0_el1) >> 16 & 0xf) != 0);
    tmk_assert((tmk_sysreg_read(id_aa64isar0_el1) >> 20 & 0xf) >= 2);
}

TMK_TEST(counter, 0)
{
    tmk_assert(tmk_sysreg_read(cntfrq_el0) != 0);
    uint64_t first = tmk_sysreg_read(cntvct_el0);
    for (volatile int i = 0; i < 10000; i++) {
    }
    tmk_assert(tmk_sysreg_read(cntvct_el0) > first);
}
