/* The smallest TMK there is: what a test reads first. */
#include "tmk.h"

TMK_TEST(boot, 0)
{
    tmk_log("hello world");
}
