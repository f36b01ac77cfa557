/* One test for each way out of a plane: exits that plane 0 serves, and faults that end the test. */
#include "tmk.h"

/* Neither RAM nor a device, and protected in a realm of 33 bits of IPA: RIPAS EMPTY. */
#define UNBACKED 0xfe000000ul
/* RAM of the realm that plane 0 keeps to itself (OpenVMM's simple_tmk uses the same address). */
#define OTHER_PLANE 0x847ff000ul
/* Unprotected in a realm of 33 bits of IPA, and mapped by nobody: an exit to the host, not to plane 0. */
#define UNPROTECTED 0x180000000ul

/* For the tests that take an exception of their own: it goes nowhere, which is an exit in turn. */
static void without_vectors(void)
{
    tmk_sysreg_write(vbar_el1, UNBACKED);
}

#define CALL(instruction, function)                                                                                     \
    ({                                                                                                                  \
        register uint64_t x0 __asm__("x0") = function;                                                                  \
        __asm__ volatile(instruction                                                                                    \
                         : "+r"(x0)                                                                                     \
                         :                                                                                              \
                         : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",     \
                           "x15", "x16", "x17", "memory");                                                              \
        x0;                                                                                                             \
    })

/* Plane 0 ignores it. In a plain VM there is nobody to take an SMC, so it is undefined there. */
TMK_TEST(smc, TMK_LINUX_ONLY)
{
    tmk_log("smc gave 0x%lx", CALL("smc #0", 0xc600fff0));
    tmk_log("still running");
}

TMK_TEST(hvc, TMK_EXPECTED_FAILURE)
{
    CALL("hvc #0x1234", 0xc600fff0);
    tmk_panic("the monitor served an HVC");
}

TMK_TEST(wfe, 0)
{
    __asm__ volatile("sevl\n\twfe\n\tsev\n\twfe" : : : "memory");
    tmk_log("awake");
}

/* Sleeps until the virtual timer fires. Interrupts are masked, so it wakes the PE and nothing more. */
TMK_TEST(wfi, 0)
{
    uint64_t ticks = tmk_sysreg_read(cntfrq_el0) / 1000;
    uint64_t start = tmk_sysreg_read(cntvct_el0);
    tmk_sysreg_write(cntv_cval_el0, start + ticks);
    tmk_sysreg_write(cntv_ctl_el0, 1);
    __asm__ volatile("wfi" : : : "memory");
    tmk_sysreg_write(cntv_ctl_el0, 0);
    tmk_log("awake");
}

TMK_TEST(read_of_nothing, 0)
{
    tmk_expect_eq(tmk_read64(UNBACKED), 0xffffffffffffffff);
}

TMK_TEST(write_to_nothing, 0)
{
    tmk_write64(UNBACKED, 0x0123456789abcdef);
    tmk_expect_eq(tmk_read32(UNBACKED), 0xffffffff);
}

/* Memory that plane 1 has no permission for gives away nothing. */
TMK_TEST(read_of_other_plane, 0)
{
    tmk_expect_eq(tmk_read64(OTHER_PLANE), 0xffffffffffffffff);
}

TMK_TEST(write_to_other_plane, 0)
{
    tmk_write64(OTHER_PLANE, 0);
    tmk_expect_eq(tmk_read64(OTHER_PLANE), 0xffffffffffffffff);
}

/* What is read is up to the host. */
TMK_TEST(read_of_unprotected, 0)
{
    tmk_log("read 0x%lx", tmk_read64(UNPROTECTED));
}

/*
 * Accesses whose syndrome does not say what to do (ISV is 0), so that nobody can emulate them.
 */
#define WITHOUT_SYNDROME(name, address, instruction)                                                                    \
    TMK_TEST(name, TMK_EXPECTED_FAILURE)                                                                                \
    {                                                                                                                   \
        uint64_t at = address;                                                                                          \
        __asm__ volatile(".arch_extension lse\n\t" instruction : "+r"(at) : : "x2", "x3", "x4", "v0", "v1", "memory");   \
        tmk_panic("still here after %s", instruction);                                                                  \
    }
WITHOUT_SYNDROME(load_pair, UNBACKED, "ldp x2, x3, [%0]")
WITHOUT_SYNDROME(store_pair, UNBACKED, "stp x2, x3, [%0]")
WITHOUT_SYNDROME(load_pre_indexed, UNBACKED - 8, "ldr x2, [%0, #8]!")
WITHOUT_SYNDROME(store_post_indexed, UNBACKED, "str x2, [%0], #8")
WITHOUT_SYNDROME(load_simd, UNBACKED, "ldr q0, [%0]")
WITHOUT_SYNDROME(store_simd, UNBACKED, "str d0, [%0]")
WITHOUT_SYNDROME(load_structure, UNBACKED, "ld1 {v0.16b, v1.16b}, [%0]")
WITHOUT_SYNDROME(load_exclusive, UNBACKED, "ldxr x2, [%0]")
WITHOUT_SYNDROME(atomic_add, UNBACKED, "ldadd x2, x3, [%0]")
WITHOUT_SYNDROME(zero_cache_line, UNBACKED, "dc zva, %0")
WITHOUT_SYNDROME(load_pair_of_other_plane, OTHER_PLANE, "ldp x2, x3, [%0]")
WITHOUT_SYNDROME(command_by_pair, tmk_command_address(), "stp x2, x3, [%0]")

static void __attribute__((noinline)) expect_instruction_abort(uint64_t address)
{
    tmk_log("going to 0x%lx", address);
    ((void (*)(void))address)();
    tmk_panic("no instruction abort at 0x%lx", address);
}

TMK_TEST(execute_outside_par, TMK_EXPECTED_FAILURE)
{
    expect_instruction_abort(0x0000ffff00000000);
}

TMK_TEST(execute_ripas_empty, TMK_EXPECTED_FAILURE)
{
    expect_instruction_abort(UNBACKED);
}

TMK_TEST(execute_other_plane, TMK_EXPECTED_FAILURE)
{
    expect_instruction_abort(OTHER_PLANE);
}

TMK_TEST(execute_unprotected, TMK_EXPECTED_FAILURE)
{
    expect_instruction_abort(UNPROTECTED);
}

TMK_TEST(execute_command_page, TMK_EXPECTED_FAILURE)
{
    expect_instruction_abort(tmk_command_address());
}

TMK_TEST(undefined_without_vectors, TMK_EXPECTED_FAILURE)
{
    without_vectors();
    __asm__ volatile("udf #0x1234");
    tmk_panic("an undefined instruction did nothing");
}

TMK_TEST(brk_without_vectors, TMK_EXPECTED_FAILURE)
{
    without_vectors();
    __asm__ volatile("brk #1");
    tmk_panic("a breakpoint did nothing");
}

TMK_TEST(svc_without_vectors, TMK_EXPECTED_FAILURE)
{
    without_vectors();
    __asm__ volatile("svc #1");
    tmk_panic("a supervisor call did nothing");
}

/* PSCI ends a plain VM. In a plane, HVC is a fault whatever it asks for. */
TMK_TEST(system_off, TMK_EXPECTED_FAILURE)
{
    CALL("hvc #0", 0x84000008);
    tmk_panic("SYSTEM_OFF returned");
}

TMK_TEST(system_reset, TMK_EXPECTED_FAILURE)
{
    CALL("hvc #0", 0x84000009);
    tmk_panic("SYSTEM_RESET returned");
}
