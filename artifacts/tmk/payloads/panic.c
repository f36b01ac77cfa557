/* Each way to fail a test by saying so. */
#include "tmk.h"

TMK_TEST(panic, TMK_EXPECTED_FAILURE)
{
    tmk_panic("something went wrong: %d of %s", 42, "these");
}

TMK_TEST(assertion, TMK_EXPECTED_FAILURE)
{
    volatile int two = 2;
    tmk_assert(two + two == 5);
}

TMK_TEST(comparison, TMK_EXPECTED_FAILURE)
{
    volatile uint32_t value = 0xdead;
    tmk_expect_eq(value, 0xbeef);
}

TMK_TEST(complete_false, TMK_EXPECTED_FAILURE)
{
    tmk_log("ending without success");
    tmk_complete(false);
}

/* Strings that are easy to lose: line ends, tabs, UTF-8 of two to four bytes. */
TMK_TEST(long_message, TMK_EXPECTED_FAILURE)
{
    tmk_panic("first line\n\tsecond line: caf\u00e9 \u2603 \U0001f600\n%0700d", 7);
}
