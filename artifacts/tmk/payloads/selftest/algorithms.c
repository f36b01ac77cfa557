/* Compiled code with answers that are known from elsewhere. */
/* gcc 12 zeroes small objects with unaligned vector stores even under -mstrict-align, which fault while the MMU is off. */
#pragma GCC target("general-regs-only")
#include "tmk.h"

/* SHA-256 (FIPS 180-4). The constants are the fractions of cube roots and square roots of primes, computed here. */
static uint64_t integer_root(unsigned __int128 value, unsigned degree)
{
    uint64_t root = 0;
    for (int bit = 40; bit >= 0; bit--) {
        uint64_t candidate = root | 1ul << bit;
        unsigned __int128 power = candidate;
        for (unsigned n = 1; n < degree; n++)
            power *= candidate;
        if (power <= value)
            root = candidate;
    }
    return root;
}

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

static void sha256(const char *message, uint32_t digest[8])
{
    uint32_t k[64], h[8], w[64];
    unsigned found = 0;
    for (unsigned candidate = 2; found < 64; candidate++) {
        bool prime = true;
        for (unsigned divisor = 2; divisor * divisor <= candidate; divisor++)
            prime &= candidate % divisor != 0;
        if (!prime)
            continue;
        if (found < 8)
            h[found] = (uint32_t)integer_root((unsigned __int128)candidate << 64, 2);
        k[found++] = (uint32_t)integer_root((unsigned __int128)candidate << 96, 3);
    }

    uint8_t block[64] = { 0 };
    size_t length = strlen(message);
    memcpy(block, message, length);
    block[length] = 0x80;
    block[62] = (uint8_t)(length * 8 >> 8);
    block[63] = (uint8_t)(length * 8);
    for (unsigned t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | block[4 * t + 1] << 16 | block[4 * t + 2] << 8 | block[4 * t + 3];
    for (unsigned t = 16; t < 64; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    uint32_t v[8];
    memcpy(v, h, sizeof(v));
    for (unsigned t = 0; t < 64; t++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[t] + w[t];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned n = 0; n < 8; n++)
        digest[n] = h[n] + v[n];
}

TMK_TEST(sha256_of_abc, 0)
{
    static const uint32_t expected[8] = {
        0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad,
    };
    uint32_t digest[8];
    sha256("abc", digest);
    for (unsigned n = 0; n < 8; n++)
        tmk_expect_eq(digest[n], expected[n]);
}

#define SIEVE 100000
static uint8_t composite[SIEVE];

TMK_TEST(primes_below_100000, 0)
{
    unsigned count = 0;
    uint64_t sum = 0;
    for (unsigned n = 2; n < SIEVE; n++) {
        if (composite[n])
            continue;
        count++;
        sum += n;
        for (unsigned multiple = 2 * n; multiple < SIEVE; multiple += n)
            composite[multiple] = 1;
    }
    tmk_expect_eq(count, 9592);
    tmk_expect_eq(sum, 454396537);
}

static uint64_t __attribute__((noinline)) fibonacci(unsigned n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

TMK_TEST(recursion, 0)
{
    tmk_expect_eq(fibonacci(20), 6765);
}

static unsigned solve_queens(unsigned size, uint32_t columns, uint32_t left, uint32_t right)
{
    uint32_t all = (1u << size) - 1;
    if (columns == all)
        return 1;
    unsigned solutions = 0;
    for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
        uint32_t queen = free & -free;
        solutions += solve_queens(size, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return solutions;
}

TMK_TEST(eight_queens, 0)
{
    tmk_expect_eq(solve_queens(8, 0, 0, 0), 92);
}

/* The CRC-32 of IEEE 802.3, by table and by instruction, of the string that everyone uses. */
static uint32_t __attribute__((target("arch=armv8-a+crc"))) crc32_by_instruction(const char *text)
{
    uint32_t crc = ~0u;
    for (; *text != 0; text++)
        crc = __builtin_aarch64_crc32b(crc, (uint8_t)*text);
    return ~crc;
}

static uint32_t crc32_by_table(const char *text, uint32_t polynomial)
{
    uint32_t table[256];
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t value = n;
        for (unsigned bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? polynomial : 0);
        table[n] = value;
    }
    uint32_t crc = ~0u;
    for (; *text != 0; text++)
        crc = crc >> 8 ^ table[(crc ^ (uint8_t)*text) & 0xff];
    return ~crc;
}

TMK_TEST(crc_of_123456789, 0)
{
    tmk_expect_eq(crc32_by_table("123456789", 0xedb88320), 0xcbf43926);
    tmk_expect_eq(crc32_by_table("123456789", 0x82f63b78), 0xe3069283);
    tmk_expect_eq(crc32_by_instruction("123456789"), 0xcbf43926);
}

/* Heapsort of pseudo-random numbers, through function pointers and structures. */
struct item {
    uint32_t key;
    uint16_t position;
    int8_t sign;
};

static struct item items[1000];

static bool by_key(const struct item *left, const struct item *right)
{
    return left->key < right->key;
}

static bool by_sign_then_position(const struct item *left, const struct item *right)
{
    return left->sign != right->sign ? left->sign < right->sign : left->position < right->position;
}

static void sift(struct item *heap, unsigned root, unsigned count, bool (*less)(const struct item *, const struct item *))
{
    for (unsigned child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && less(&heap[child], &heap[child + 1]))
            child++;
        if (!less(&heap[root], &heap[child]))
            return;
        struct item swap = heap[root];
        heap[root] = heap[child];
        heap[child] = swap;
        root = child;
    }
}

static void sort(struct item *array, unsigned count, bool (*less)(const struct item *, const struct item *))
{
    for (unsigned root = count / 2; root-- > 0;)
        sift(array, root, count, less);
    for (unsigned last = count - 1; last > 0; last--) {
        struct item swap = array[0];
        array[0] = array[last];
        array[last] = swap;
        sift(array, 0, last, less);
    }
}

TMK_TEST(sorting, 0)
{
    uint32_t seed = 1;
    for (unsigned n = 0; n < 1000; n++) {
        seed = seed * 1664525 + 1013904223;
        items[n] = (struct item){ .key = seed, .position = (uint16_t)n, .sign = (int8_t)(seed >> 24) };
    }
    sort(items, 1000, by_key);
    for (unsigned n = 1; n < 1000; n++)
        tmk_assert(items[n - 1].key <= items[n].key);
    sort(items, 1000, by_sign_then_position);
    for (unsigned n = 1; n < 1000; n++)
        tmk_assert(by_sign_then_position(&items[n - 1], &items[n]));
}

/* 100! by long arithmetic: its number of digits, and their sum. */
TMK_TEST(wide_arithmetic, 0)
{
    uint32_t limbs[20] = { 1 };
    for (uint32_t n = 2; n <= 100; n++) {
        uint64_t carry = 0;
        for (unsigned limb = 0; limb < 20; limb++) {
            carry += (uint64_t)limbs[limb] * n;
            limbs[limb] = (uint32_t)carry;
            carry >>= 32;
        }
        tmk_expect_eq(carry, 0);
    }
    unsigned digits = 0, digit_sum = 0;
    for (bool zero = false; !zero; digits++) {
        uint64_t remainder = 0;
        zero = true;
        for (unsigned limb = 20; limb-- > 0;) {
            remainder = remainder << 32 | limbs[limb];
            limbs[limb] = (uint32_t)(remainder / 10);
            remainder %= 10;
            zero &= limbs[limb] == 0;
        }
        digit_sum += (unsigned)remainder;
    }
    tmk_expect_eq(digits, 158);
    tmk_expect_eq(digit_sum, 648);
}

/* A switch that becomes a jump table: a small stack machine that computes 2^20 - 1. */
TMK_TEST(bytecode, 0)
{
    enum { PUSH, ADD, DUP, SWAP, DECREMENT, LOOP, POP, HALT };
    static const uint8_t program[] = {
        PUSH, 1, PUSH, 20, SWAP, DUP, ADD, SWAP, DECREMENT, LOOP, 4, POP, DECREMENT, HALT,
    };
    uint64_t stack[8] = { 0 }, swapped;
    unsigned pc = 0, sp = 0;
    for (bool running = true; running;) {
        switch (program[pc++]) {
        case PUSH:
            stack[sp++] = program[pc++];
            break;
        case ADD:
            sp--;
            stack[sp - 1] += stack[sp];
            break;
        case DUP:
            stack[sp] = stack[sp - 1];
            sp++;
            break;
        case SWAP:
            swapped = stack[sp - 1];
            stack[sp - 1] = stack[sp - 2];
            stack[sp - 2] = swapped;
            break;
        case DECREMENT:
            stack[sp - 1]--;
            break;
        case LOOP:
            pc = stack[sp - 1] != 0 ? program[pc] : pc + 1;
            break;
        case POP:
            sp--;
            break;
        default:
            running = false;
            break;
        }
    }
    tmk_expect_eq(stack[sp - 1], (1 << 20) - 1);
}
