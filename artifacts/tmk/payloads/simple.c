/* The tests of OpenVMM's simple_tmk, by the same names and with the same flags, in C. */
#include "tmk.h"

TMK_TEST_NAMED(boot, "common::boot", 0)
{
    tmk_log("hello world");
}

/* Fetches from an address that must not be executable, and fails the test if it was. */
static void __attribute__((noinline)) expect_instruction_abort(uint64_t address)
{
    tmk_log("expecting an instruction abort at 0x%lx", address);
    ((void (*)(void))address)();
    tmk_panic("no instruction abort at 0x%lx", address);
}

/* Beyond any IPA width: a stage 2 fault in a realm, without stage 1. */
TMK_TEST_NAMED(instruction_abort_outside_par, "aarch64::instruction_abort_outside_par", TMK_EXPECTED_FAILURE | TMK_LINUX_ONLY)
{
    expect_instruction_abort(0x0000ffff00000000);
}

/* Protected, but never made RAM. */
TMK_TEST_NAMED(instruction_abort_ripas_empty, "aarch64::instruction_abort_ripas_empty", TMK_EXPECTED_FAILURE | TMK_LINUX_ONLY)
{
    expect_instruction_abort(0);
}

/* RAM of the realm that plane 0 keeps to itself. */
TMK_TEST_NAMED(instruction_abort_permissions_enabled, "aarch64::instruction_abort_permissions_enabled",
               TMK_EXPECTED_FAILURE | TMK_LINUX_ONLY)
{
    expect_instruction_abort(0x847ff000);
}
