/* What FPCR and FPSR add to floating point: rounding modes, flushing to zero, cumulative exceptions. */
#include "tmk.h"

static uint64_t fpsr_after(double a, double b)
{
    uint64_t fpsr;
    __asm__ volatile("msr fpsr, xzr\n\tfdiv d7, %d1, %d2\n\tmrs %0, fpsr" : "=r"(fpsr) : "w"(a), "w"(b) : "v7");
    return fpsr;
}

/* The cumulative bits of FPSR: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4. */
TMK_TEST(cumulative_exceptions, 0)
{
    tmk_expect_eq(fpsr_after(1.0, 2.0), 0);
    tmk_expect_eq(fpsr_after(0.0, 0.0), 1 << 0);
    tmk_expect_eq(fpsr_after(1.0, 0.0), 1 << 1);
    tmk_expect_eq(fpsr_after(0x1p1023, 0x1p-10), 1 << 2 | 1 << 4);
    tmk_expect_eq(fpsr_after(0x1.8p-1022, 0x1.fp20), 1 << 3 | 1 << 4);
    tmk_expect_eq(fpsr_after(1.0, 3.0), 1 << 4);
}

static double divide_rounding(uint64_t mode, double a, double b)
{
    double result;
    __asm__ volatile("msr fpcr, %1\n\tfdiv %d0, %d2, %d3\n\tmsr fpcr, xzr"
                     : "=w"(result)
                     : "r"(mode << 22), "w"(a), "w"(b));
    return result;
}

/* FPCR.RMode: to nearest, up, down, to zero. */
TMK_TEST(rounding_modes, 0)
{
    tmk_assert(divide_rounding(0, 1.0, 3.0) == 0x1.5555555555555p-2);
    tmk_assert(divide_rounding(1, 1.0, 3.0) == 0x1.5555555555556p-2);
    tmk_assert(divide_rounding(2, 1.0, 3.0) == 0x1.5555555555555p-2);
    tmk_assert(divide_rounding(3, 1.0, 3.0) == 0x1.5555555555555p-2);
    tmk_assert(divide_rounding(1, -1.0, 3.0) == -0x1.5555555555555p-2);
    tmk_assert(divide_rounding(2, -1.0, 3.0) == -0x1.5555555555556p-2);
}

/* FPCR.FZ. */
TMK_TEST(flush_to_zero, 0)
{
    uint64_t result;
    __asm__ volatile("msr fpcr, %1\n\tfmov d0, %2\n\tfadd d0, d0, d0\n\tmsr fpcr, xzr\n\tfmov %0, d0"
                     : "=r"(result)
                     : "r"(1ul << 24), "r"(0x000fffffffffffff)
                     : "v0");
    tmk_expect_eq(result, 0);
}
