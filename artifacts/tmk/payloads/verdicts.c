/* Each kind of end, with and without the flag that expects a failure: what a report of verdicts is tried on. */
#include "tmk.h"

static void fault(void)
{
    __asm__ volatile("hvc #0");
    tmk_panic("the monitor served an HVC");
}

TMK_TEST(passes, 0)
{
    tmk_log("all is well");
}

TMK_TEST(fails, 0)
{
    tmk_complete(false);
}

TMK_TEST(panics, 0)
{
    tmk_panic("this is the end");
}

TMK_TEST(faults, 0)
{
    fault();
}

TMK_TEST(fails_as_expected, TMK_EXPECTED_FAILURE)
{
    tmk_complete(false);
}

TMK_TEST(panics_as_expected, TMK_EXPECTED_FAILURE)
{
    tmk_panic("this is the end");
}

TMK_TEST(faults_as_expected, TMK_EXPECTED_FAILURE)
{
    fault();
}

TMK_TEST(passes_unexpectedly, TMK_EXPECTED_FAILURE)
{
    tmk_log("all is well, which is wrong");
}

TMK_TEST(linux_only, TMK_LINUX_ONLY)
{
    tmk_log("plane 0 is Linux, or passes for it");
}
