/*
 * Loops that compilers turn into vector code, each for all element types: to find out which instructions compilers use. Nothing
 * here is executed.
 */
#define N 1024

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long s64;

#define LOOP(name, type, expression)                                                          \
  void name##_##type(type *restrict a, const type *restrict b, const type *restrict c, int k) { \
    for (int i = 0; i < N; i++) a[i] = (type)(expression);                                    \
  }
#define INTEGERS(name, expression)                                                   \
  LOOP(name, u8, expression) LOOP(name, u16, expression) LOOP(name, u32, expression) \
  LOOP(name, u64, expression) LOOP(name, s8, expression) LOOP(name, s16, expression) \
  LOOP(name, s32, expression) LOOP(name, s64, expression)
#define FLOATS(name, expression) LOOP(name, float, expression) LOOP(name, double, expression)

INTEGERS(add, b[i] + c[i])
INTEGERS(multiply, b[i] * c[i])
INTEGERS(accumulate, a[i] + b[i] * c[i])
INTEGERS(divide, b[i] / (c[i] | 1))
INTEGERS(average, (b[i] + c[i] + 1) >> 1)
INTEGERS(halve, (b[i] + c[i]) >> 1)
INTEGERS(left, b[i] << 3)
INTEGERS(right, b[i] >> 3)
INTEGERS(left_by, b[i] << (c[i] & 7))
INTEGERS(right_by, b[i] >> (c[i] & 7))
INTEGERS(minimum, b[i] < c[i] ? b[i] : c[i])
INTEGERS(maximum, b[i] > c[i] ? b[i] : c[i])
INTEGERS(distance, b[i] > c[i] ? b[i] - c[i] : c[i] - b[i])
INTEGERS(choose, b[i] == c[i] ? a[i] : b[i])
INTEGERS(test, (b[i] & c[i]) ? 1 : 0)
INTEGERS(reverse, b[N - 1 - i])
INTEGERS(swap, b[i ^ 1])
INTEGERS(negate, -b[i])
INTEGERS(clear, b[i] & ~c[i])
INTEGERS(or_not, b[i] | ~c[i])
INTEGERS(population, __builtin_popcount((u32)b[i]))
INTEGERS(leading, __builtin_clz((u32)b[i] | 1))
INTEGERS(sign, __builtin_clrsb((s32)b[i]))
INTEGERS(high_part, ((s64)b[i] * c[i]) >> 16)
INTEGERS(by_two, b[2 * i] + b[2 * i + 1])
INTEGERS(by_three, b[3 * i] + b[3 * i + 1] - b[3 * i + 2])
INTEGERS(by_four, b[4 * i] + b[4 * i + 1] - b[4 * i + 2] * b[4 * i + 3])
INTEGERS(byte_swap, __builtin_bswap32((u32)b[i]))

FLOATS(add, b[i] + c[i])
FLOATS(fused_add, a[i] + b[i] * c[i])
FLOATS(fused_subtract, a[i] - b[i] * c[i])
FLOATS(negative_fused, -a[i] - b[i] * c[i])
FLOATS(divide, b[i] / c[i])
FLOATS(root, __builtin_sqrt(b[i]))
FLOATS(distance, __builtin_fabs(b[i] - c[i]))
FLOATS(smaller, b[i] < c[i] ? b[i] : c[i])
FLOATS(minimum, __builtin_fmin(b[i], c[i]))
FLOATS(maximum, __builtin_fmaxf(b[i], c[i]))
FLOATS(down, __builtin_floor(b[i]))
FLOATS(up, __builtin_ceil(b[i]))
FLOATS(nearest_away, __builtin_round(b[i]))
FLOATS(exact, __builtin_rint(b[i]))
FLOATS(nearest, __builtin_nearbyint(b[i]))
FLOATS(to_zero, __builtin_trunc(b[i]))
FLOATS(to_integer, __builtin_lrint(b[i]))
FLOATS(to_integer_away, __builtin_lround(b[i]))
FLOATS(signs, __builtin_copysign(b[i], c[i]))
FLOATS(choose, b[i] < 0 ? -1 : 1)
FLOATS(to_int, (int)b[i])
FLOATS(to_unsigned, (unsigned)b[i])
FLOATS(scale, b[i] * k)
FLOATS(reciprocal_root, 1 / __builtin_sqrtf(b[i]))

#define PAIR(to, from)                                                                      \
  void convert_##to##_##from(to *restrict x, const from *restrict y) {                      \
    for (int i = 0; i < N; i++) x[i] = (to)y[i];                                            \
  }                                                                                         \
  to sum_##to##_##from(const from *y) {                                                     \
    to s = 0;                                                                               \
    for (int i = 0; i < N; i++) s += (to)y[i];                                              \
    return s;                                                                               \
  }                                                                                         \
  to largest_##to##_##from(const from *y) {                                                 \
    to s = 0;                                                                               \
    for (int i = 0; i < N; i++) s = s > (to)y[i] ? s : (to)y[i];                            \
    return s;                                                                               \
  }                                                                                         \
  to product_##to##_##from(const from *y, const from *z) {                                  \
    to s = 0;                                                                               \
    for (int i = 0; i < N; i++) s += (to)y[i] * (to)z[i];                                   \
    return s;                                                                               \
  }                                                                                         \
  to distances_##to##_##from(const from *y, const from *z) {                                \
    to s = 0;                                                                               \
    for (int i = 0; i < N; i++) s += (to)(y[i] > z[i] ? y[i] - z[i] : z[i] - y[i]);         \
    return s;                                                                               \
  }
#define FROM_ALL(to)                                                                    \
  PAIR(to, u8) PAIR(to, u16) PAIR(to, u32) PAIR(to, u64) PAIR(to, s8) PAIR(to, s16)     \
  PAIR(to, s32) PAIR(to, s64) PAIR(to, float) PAIR(to, double)
FROM_ALL(u8)
FROM_ALL(u16)
FROM_ALL(u32)
FROM_ALL(u64)
FROM_ALL(s8)
FROM_ALL(s16)
FROM_ALL(s32)
FROM_ALL(s64)
FROM_ALL(float)
FROM_ALL(double)
