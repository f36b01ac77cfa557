/* Arithmetic, memory, floating point and vector code, each test against constants from another machine. */
#include "tmk.h"

/* Kept small: the first thing to try on a new engine. */
TMK_TEST(smoke, 0)
{
    volatile uint64_t two = 2;
    tmk_expect_eq(two + two, 4);
    tmk_expect_eq(two * 21, 42);
    tmk_expect_eq(85 / two, 42);
}
