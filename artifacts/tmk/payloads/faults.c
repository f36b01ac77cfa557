/* Mistakes that must end a test as failed, on every backend, whether or not the guest has exception vectors. */
#include "stack.h"
#include "tmk.h"

#define FAULTS(name) TMK_TEST(name, TMK_EXPECTED_FAILURE)

FAULTS(undefined)
{
    __asm__ volatile("udf #7");
    tmk_log("an undefined instruction did nothing");
}

FAULTS(supervisor_call)
{
    __asm__ volatile("svc #7");
    tmk_log("a supervisor call did nothing");
}

FAULTS(breakpoint)
{
    __asm__ volatile("brk #7");
    tmk_log("a breakpoint did nothing");
}

FAULTS(unaligned_read)
{
    static uint64_t words[2];
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 2);
    tmk_log("read 0x%lx", tmk_read64((uint64_t)words + 1));
}

FAULTS(unaligned_pc)
{
    __asm__ volatile("br %0" : : "r"((uint64_t)tmk_send + 2));
    tmk_log("went on");
}

FAULTS(floating_point_trap)
{
    tmk_sysreg_write(cpacr_el1, 0);
    __asm__ volatile("fmov d0, #1.0" : : : "v0");
    tmk_log("floating point was not trapped");
}

/* Nobody could emulate it. */
FAULTS(null_read_of_pair)
{
    uint64_t first, second;
    __asm__ volatile("ldp %0, %1, [%2]" : "=&r"(first), "=r"(second) : "r"(0x200ul));
    tmk_log("read 0x%lx 0x%lx", first, second);
}

FAULTS(null_fetch)
{
    void (*volatile nowhere)(void) = 0;
    nowhere();
    tmk_log("called nothing");
}

static volatile uint64_t depth, limit = ~0ul;

static uint64_t __attribute__((noinline)) recurse(uint64_t value)
{
    volatile uint64_t kept = value;
    return depth++ == limit ? 0 : recurse(value + 1) + kept;
}

FAULTS(stack_overflow)
{
    tmk_log("%lu", recurse(0));
}

/* Reached, but not passed: nothing faults, so it is seen when the test ends. */
FAULTS(stack_exhausted)
{
    volatile uint64_t *lowest = (volatile uint64_t *)tmk_stack;
    *lowest = 1;
}

/* Makes the first instruction of a function an undefined one. */
static void break_function(void *function)
{
    *(volatile uint32_t *)function = 0;
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(function) : "memory");
}

/* The handler of the runtime faults as well. */
FAULTS(nested)
{
    break_function(tmk_stack_overflowed);
    __asm__ volatile("svc #7");
    tmk_log("a supervisor call did nothing");
}

/* And so does what reports that. */
FAULTS(nested_twice)
{
    break_function(tmk_send);
    __asm__ volatile("svc #7");
}

/* The stack pointer is the guest's only register that an exception handler needs, and it is nowhere. */
FAULTS(without_stack)
{
    __asm__ volatile("mov x9, xzr\n\tmov sp, x9\n\tsvc #7");
}

FAULTS(exception_at_el0)
{
    __asm__ volatile("msr spsr_el1, xzr\n\t"
                     "adr x3, 1f\n\t"
                     "msr elr_el1, x3\n\t"
                     "eret\n"
                     "1: svc #7" : : : "x3", "memory");
    tmk_log("a supervisor call did nothing");
}
