/*
 * Data accesses where a mistake leads to and no memory is. OpenVMM's tmk_vmm takes them for accesses to a device that is not there;
 * monitors of ours end the test.
 */
#include "stack.h"
#include "tmk.h"

#define FAULTS(name) TMK_TEST(name, TMK_EXPECTED_FAILURE)

/* The first field of a structure, one far into it. */
FAULTS(null_read)
{
    tmk_log("read 0x%x", tmk_read32(0));
}

FAULTS(null_read_of_field)
{
    tmk_log("read 0x%x", tmk_read8(0xffff));
}

FAULTS(null_write)
{
    tmk_write64(0, 1);
    tmk_log("a write to 0 did nothing");
}

/* A frame larger than what is kept free below the stack, of which only the far end is used. */
FAULTS(stack_overflow_of_large_frame)
{
    volatile uint8_t frame[0x80000];
    frame[0] = 1;
    tmk_log("%u", frame[0]);
}

/* A store that a monitor could emulate. */
FAULTS(stack_overflow_by_store)
{
    uint64_t kept;
    __asm__ volatile("mov %0, sp\n\tmov sp, %1\n\tstr xzr, [sp, #-16]\n\tmov sp, %0" : "=&r"(kept) : "r"(tmk_stack) : "memory");
    tmk_log("the stack has no end");
}
