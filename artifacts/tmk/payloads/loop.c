/* Tests that never end by themselves. */
#include "tmk.h"

static volatile uint64_t rounds;

static void __attribute__((noinline)) spin_for_ever(void)
{
    for (;;)
        rounds++;
}

TMK_TEST(spin, 0)
{
    tmk_log("spinning");
    spin_for_ever();
}

/* The smallest loop there is: one instruction that branches to itself. */
TMK_TEST(branch_to_self, 0)
{
    tmk_log("spinning");
    __asm__ volatile(".global branch_to_self\nbranch_to_self: b .");
}

TMK_TEST(log_for_ever, 0)
{
    for (uint64_t line = 0;; line++)
        tmk_log("line %lu", line);
}

/* Takes the exception for an undefined instruction from within the handler for it, again and again. */
TMK_TEST(exception_loop, 0)
{
    tmk_log("taking exceptions");
    uint64_t vectors;
    __asm__ volatile("adr %0, exception_loop_vectors\n\t"
                     "msr vbar_el1, %0\n\t"
                     "isb\n\t"
                     "udf #0\n\t"
                     ".balign 2048\n"
                     ".global exception_loop_vectors\n"
                     "exception_loop_vectors:\n\t"
                     ".rept 16\n\t"
                     "udf #0\n\t"
                     ".balign 128\n\t"
                     ".endr"
                     : "=&r"(vectors));
}
