/* Loops that the compiler turns into SIMD code, and floating-point code. */
#pragma GCC optimize("O3")
#include "tmk.h"

#define COUNT 1000

/* Keeps the compiler from computing answers itself. */
static unsigned __attribute__((noinline)) count(void)
{
    volatile unsigned hidden = COUNT;
    return hidden;
}

#define FILL_AND_DOT(name, type, result_type)                                                                           \
    static type name##_left[COUNT], name##_right[COUNT];                                                                \
    static result_type __attribute__((noinline)) name##_dot(const type *left, const type *right, unsigned n)            \
    {                                                                                                                   \
        result_type sum = 0;                                                                                            \
        for (unsigned i = 0; i < n; i++)                                                                                \
            sum += (result_type)left[i] * (result_type)right[i];                                                        \
        return sum;                                                                                                     \
    }                                                                                                                   \
    static void __attribute__((noinline)) name##_fill(unsigned n)                                                       \
    {                                                                                                                   \
        for (unsigned i = 0; i < n; i++) {                                                                              \
            name##_left[i] = (type)(i % 101);                                                                           \
            name##_right[i] = (type)(i % 7) + (type)1;                                                                  \
        }                                                                                                               \
    }
FILL_AND_DOT(int8, int8_t, int32_t)
FILL_AND_DOT(uint8, uint8_t, uint32_t)
FILL_AND_DOT(int16, int16_t, int32_t)
FILL_AND_DOT(int32, int32_t, int64_t)
FILL_AND_DOT(int64, int64_t, int64_t)
FILL_AND_DOT(single, float, float)
FILL_AND_DOT(twice, double, double)

/* The sum over i below 1000 of (i mod 101)(i mod 7 + 1). Sums stay exact in every type. */
#define DOT 198174

#define EXPECT_DOT(name)                                                                                                \
    do {                                                                                                                \
        name##_fill(count());                                                                                           \
        tmk_expect_eq((int64_t)name##_dot(name##_left, name##_right, count()), DOT);                                    \
    } while (0)

TMK_TEST(dot_products, 0)
{
    EXPECT_DOT(int8);
    EXPECT_DOT(uint8);
    EXPECT_DOT(int16);
    EXPECT_DOT(int32);
    EXPECT_DOT(int64);
    EXPECT_DOT(single);
    EXPECT_DOT(twice);
}

static uint8_t bytes[4096];
static uint32_t sums[4096];

static void __attribute__((noinline)) make_bytes(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * i >> 3);
}

static uint32_t __attribute__((noinline)) sum_bytes(const uint8_t *data, unsigned n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += data[i];
    return sum;
}

static unsigned __attribute__((noinline)) count_above(const uint8_t *data, unsigned n, uint8_t bound)
{
    unsigned above = 0;
    for (unsigned i = 0; i < n; i++)
        above += data[i] > bound;
    return above;
}

static uint8_t __attribute__((noinline)) greatest(const uint8_t *data, unsigned n)
{
    uint8_t best = 0;
    for (unsigned i = 0; i < n; i++)
        best = data[i] > best ? data[i] : best;
    return best;
}

static void __attribute__((noinline)) prefix_sums(const uint8_t *data, uint32_t *out, unsigned n)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        out[i] = sum += data[i];
}

static void __attribute__((noinline)) interleave(const uint8_t *data, uint32_t *out, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        out[i] = (uint32_t)data[4 * i] | (uint32_t)data[4 * i + 1] << 8 | (uint32_t)data[4 * i + 2] << 16 |
                 (uint32_t)data[4 * i + 3] << 24;
}

TMK_TEST(byte_loops, 0)
{
    volatile unsigned n = 4096;
    make_bytes(n);
    uint32_t sum = 0;
    unsigned above = 0;
    for (volatile unsigned i = 0; i < 4096; i++) {
        sum += bytes[i];
        above += bytes[i] > 200;
    }
    tmk_expect_eq(sum, 491520);
    tmk_expect_eq(sum_bytes(bytes, n), sum);
    tmk_expect_eq(count_above(bytes, n, 200), above);
    tmk_expect_eq(greatest(bytes, n), 255);
    prefix_sums(bytes, sums, n);
    tmk_expect_eq(sums[4095], sum);
    interleave(bytes, sums, n / 4);
    for (volatile unsigned i = 0; i < 1024; i++)
        tmk_expect_eq(sums[i] >> 24, bytes[4 * i + 3]);
}

#define SIDE 24
static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static void __attribute__((noinline)) multiply(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < n; j++)
            product[i][j] = 0;
        for (unsigned k = 0; k < n; k++) {
            for (unsigned j = 0; j < n; j++)
                product[i][j] += left[i][k] * right[k][j];
        }
    }
}

/* The Lehmer matrix, min(i, j) / max(i, j), times its inverse, which is tridiagonal. */
TMK_TEST(matrix_inverse, 0)
{
    volatile unsigned n = SIDE;
    for (unsigned i = 0; i < SIDE; i++) {
        for (unsigned j = 0; j < SIDE; j++) {
            double a = i + 1, b = j + 1;
            left[i][j] = a < b ? a / b : b / a;
            if (i == j)
                right[i][j] = i + 1 == SIDE ? a * a / (2 * a - 1) : 4 * a * a * a / (4 * a * a - 1);
            else if (i == j + 1 || j == i + 1)
                right[i][j] = -(a * b) / (2 * (a < b ? a : b) + 1);
            else
                right[i][j] = 0;
        }
    }
    multiply(n);
    for (unsigned i = 0; i < SIDE; i++) {
        for (unsigned j = 0; j < SIDE; j++) {
            double difference = product[i][j] - (i == j ? 1.0 : 0.0);
            tmk_assert(difference < 1e-12 && difference > -1e-12);
        }
    }
}

/* Points of a grid in the Mandelbrot set: every rounding counts. */
static unsigned __attribute__((noinline)) mandelbrot(unsigned side)
{
    unsigned inside = 0;
    for (unsigned y = 0; y < side; y++) {
        for (unsigned x = 0; x < side; x++) {
            double cr = -2.0 + 2.5 * x / side, ci = -1.25 + 2.5 * y / side, zr = 0, zi = 0;
            unsigned n = 0;
            for (; n < 100 && zr * zr + zi * zi < 4; n++) {
                double next = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = next;
            }
            inside += n == 100;
        }
    }
    return inside;
}

TMK_TEST(mandelbrot_set, 0)
{
    volatile unsigned side = 64;
    tmk_expect_eq(mandelbrot(side), 1013);
}

static uint64_t bits_of(double value)
{
    union {
        double value;
        uint64_t bits;
    } both = { .value = value };
    return both.bits;
}

/* Series whose sums depend on the order and the rounding of every step. */
TMK_TEST(double_precision, 0)
{
    volatile double one = 1.0;
    double harmonic = 0, e = 0, term = 1;
    for (unsigned n = 1; n <= 10000; n++)
        harmonic += one / n;
    for (unsigned n = 1; n < 25; n++) {
        e += term;
        term /= n;
    }
    tmk_expect_eq(bits_of(harmonic), 0x40239341192de2a6);
    tmk_expect_eq(bits_of(e), 0x4005bf0a8b14576a);
    double root = one;
    for (unsigned n = 0; n < 8; n++)
        root = (root + 2 / root) / 2;
    tmk_expect_eq(bits_of(root), 0x3ff6a09e667f3bcc);
    tmk_expect_eq(bits_of(__builtin_sqrt(2 * one)), 0x3ff6a09e667f3bcd);
}

TMK_TEST(single_precision, 0)
{
    volatile float one = 1.0f;
    float sum = 0;
    for (unsigned n = 1; n <= 1000; n++)
        sum += one / (float)n;
    tmk_expect_eq((uint32_t)(sum * 0x1p20f), 0x77c485);
    tmk_expect_eq((int32_t)(one * -2.75f), -2);
    tmk_expect_eq((uint8_t)(uint32_t)(one * 255.9f), 255);
    tmk_expect_eq((uint32_t)(__builtin_sqrtf(one * 2) * 0x1p23f), 0xb504f3);
}

TMK_TEST(conversions, 0)
{
    volatile double huge = 1e300, negative = -1.5, nan = __builtin_nan("");
    volatile uint64_t big = 0xfffffffffffff800;
    tmk_expect_eq((int64_t)huge, INT64_MAX);
    tmk_expect_eq((uint64_t)huge, UINT64_MAX);
    tmk_expect_eq((int64_t)negative, -1);
    tmk_expect_eq((uint64_t)negative, 0);
    tmk_expect_eq((int64_t)nan, 0);
    tmk_expect_eq((uint64_t)(double)big, big);
    tmk_expect_eq(bits_of((double)(float)0.1), 0x3fb99999a0000000);
    tmk_assert(!(nan == nan) && !(nan < 1.0) && !(nan >= 1.0));
}
