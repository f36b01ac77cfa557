/* memcpy, memmove, memset and the formatter of the runtime, at every alignment and length up to a few words. */
/* gcc 12 zeroes small objects with unaligned vector stores even under -mstrict-align, which fault while the MMU is off. */
#pragma GCC target("general-regs-only")
#include "tmk.h"

#define SPAN 96
static uint8_t source[SPAN], target[SPAN];

static void prepare(void)
{
    for (unsigned n = 0; n < SPAN; n++) {
        source[n] = (uint8_t)(n * 7 + 1);
        target[n] = (uint8_t)~n;
    }
}

/* What lies around [start, start + count) must be as it was. */
static void expect_untouched(unsigned start, unsigned count)
{
    for (unsigned n = 0; n < SPAN; n++) {
        if (n < start || n >= start + count)
            tmk_expect_eq(target[n], (uint8_t)~n);
    }
}

TMK_TEST(memcpy_every_alignment, 0)
{
    for (unsigned to = 0; to < 9; to++) {
        for (unsigned from = 0; from < 9; from++) {
            for (unsigned count = 0; count < 40; count++) {
                prepare();
                memcpy(target + 16 + to, source + from, count);
                for (unsigned n = 0; n < count; n++)
                    tmk_expect_eq(target[16 + to + n], source[from + n]);
                expect_untouched(16 + to, count);
            }
        }
    }
}

TMK_TEST(memmove_overlapping, 0)
{
    for (unsigned to = 0; to < 24; to++) {
        for (unsigned from = 0; from < 24; from++) {
            prepare();
            memcpy(target, source, SPAN);
            memmove(target + to, target + from, 40);
            for (unsigned n = 0; n < 40; n++)
                tmk_expect_eq(target[to + n], source[from + n]);
        }
    }
}

TMK_TEST(memset_every_alignment, 0)
{
    for (unsigned start = 0; start < 9; start++) {
        for (unsigned count = 0; count < 40; count++) {
            prepare();
            memset(target + 16 + start, 0xa5, count);
            for (unsigned n = 0; n < count; n++)
                tmk_expect_eq(target[16 + start + n], 0xa5);
            expect_untouched(16 + start, count);
        }
    }
}

TMK_TEST(memcmp_and_strlen, 0)
{
    tmk_expect_eq(memcmp("abc", "abc", 3), 0);
    tmk_assert(memcmp("abc", "abd", 3) < 0);
    tmk_assert(memcmp("ab\xff", "ab\x01", 3) > 0);
    tmk_expect_eq(strlen(""), 0);
    tmk_expect_eq(strlen("twelve chars"), 12);
}

/* For a person or a test that looks at the console: each line shows what it should look like. */
TMK_TEST(formatting, 0)
{
    tmk_log("[%d] is [-42]", -42);
    tmk_log("[%5d|%-5d|%05d] is [   42|42   |00042]", 42, 42, 42);
    tmk_log("[%05d] is [-0042]", -42);
    tmk_log("[%x %X %lx] is [beef BEEF 123456789abcdef]", 0xbeef, 0xbeef, 0x0123456789abcdeful);
    tmk_log("[%lu %ld] is [18446744073709551615 -9223372036854775808]", ~0ul, (long)(1ul << 63));
    tmk_log("[%s|%6s|%-6s|%.2s|%*s] is [abc|   abc|abc   |ab|  abc]", "abc", "abc", "abc", "abc", 5, "abc");
    tmk_log("[%c%c%%] is [ok%%]", 'o', 'k');
    tmk_log("[%zu] is [7]", (size_t)7);
}
