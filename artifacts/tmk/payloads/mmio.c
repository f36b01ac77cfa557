/* Every kind of load and store that can be emulated, at an address where nothing is: reads give all ones, writes vanish. */
#include "tmk.h"

/* Neither RAM nor a device, and protected in a realm of 33 bits of IPA: RIPAS EMPTY. */
#define UNBACKED 0xfe000000ul

/* Holds no byte that any of the loads could leave behind by chance. */
#define BEFORE 0x5a5a5a5a5a5a5a5aul

#define LOAD(instruction)                                                                                               \
    ({                                                                                                                  \
        uint64_t loaded = BEFORE;                                                                                       \
        __asm__ volatile(".arch_extension rcpc\n\t" instruction                                                         \
                         : "+r"(loaded)                                                                                 \
                         : "r"(address), "r"(8ul), "r"(-8)                                                              \
                         : "memory");                                                                                   \
        loaded;                                                                                                         \
    })
#define EXPECT_LOAD(instruction, expected)                                                                              \
    do {                                                                                                                \
        uint64_t loaded = LOAD(instruction);                                                                            \
        if (loaded != (expected))                                                                                       \
            tmk_panic("%s gave 0x%lx, expected 0x%lx", instruction, loaded, (uint64_t)(expected));                      \
    } while (0)
#define STORE(instruction)                                                                                              \
    __asm__ volatile(instruction : : "r"(0x0123456789abcdeful), "r"(address), "r"(8ul), "r"(-8) : "memory")

static void sweep_loads(uint64_t address)
{
    EXPECT_LOAD("ldrb %w0, [%1]", 0xff);
    EXPECT_LOAD("ldrh %w0, [%1]", 0xffff);
    EXPECT_LOAD("ldr %w0, [%1]", 0xffffffff);
    EXPECT_LOAD("ldr %0, [%1]", 0xffffffffffffffff);
    EXPECT_LOAD("ldrsb %w0, [%1]", 0xffffffff);
    EXPECT_LOAD("ldrsb %0, [%1]", 0xffffffffffffffff);
    EXPECT_LOAD("ldrsh %w0, [%1]", 0xffffffff);
    EXPECT_LOAD("ldrsh %0, [%1]", 0xffffffffffffffff);
    EXPECT_LOAD("ldrsw %0, [%1]", 0xffffffffffffffff);
}

TMK_TEST(loads, 0)
{
    sweep_loads(UNBACKED);
}

TMK_TEST(loads_at_every_offset, 0)
{
    uint64_t address = UNBACKED;
    for (uint64_t offset = 0; offset < 16; offset++)
        tmk_expect_eq(tmk_read8(address + offset), 0xff);
    for (uint64_t offset = 0; offset < 16; offset += 2)
        tmk_expect_eq(tmk_read16(address + offset), 0xffff);
    for (uint64_t offset = 0; offset < 16; offset += 4)
        tmk_expect_eq(tmk_read32(address + offset), 0xffffffff);
    tmk_expect_eq(tmk_read64(address + 8), 0xffffffffffffffff);
    tmk_expect_eq(tmk_read64(address + 0xff8), 0xffffffffffffffff);
}

/* The addressing modes without writeback, acquire loads among them. */
TMK_TEST(load_addressing, 0)
{
    uint64_t address = UNBACKED + 64;
    EXPECT_LOAD("ldr %0, [%1, #32]", 0xffffffffffffffff);
    EXPECT_LOAD("ldr %0, [%1, %2]", 0xffffffffffffffff);
    EXPECT_LOAD("ldr %0, [%1, %2, lsl #3]", 0xffffffffffffffff);
    EXPECT_LOAD("ldr %w0, [%1, %w3, sxtw]", 0xffffffff);
    EXPECT_LOAD("ldrsh %w0, [%1, %w3, sxtw #1]", 0xffffffff);
    EXPECT_LOAD("ldrb %w0, [%1, %w2, uxtw]", 0xff);
    EXPECT_LOAD("ldur %0, [%1, #-8]", 0xffffffffffffffff);
    EXPECT_LOAD("ldursb %w0, [%1, #-3]", 0xffffffff);
    EXPECT_LOAD("ldurh %w0, [%1, #2]", 0xffff);
    EXPECT_LOAD("ldarb %w0, [%1]", 0xff);
    EXPECT_LOAD("ldarh %w0, [%1]", 0xffff);
    EXPECT_LOAD("ldar %w0, [%1]", 0xffffffff);
    EXPECT_LOAD("ldar %0, [%1]", 0xffffffffffffffff);
}

TMK_TEST(zero_register_loads, 0)
{
    uint64_t address = UNBACKED;
    __asm__ volatile("ldr xzr, [%0]\n\tldr wzr, [%0]\n\tldrh wzr, [%0]\n\tldrb wzr, [%0]\n\tldrsw xzr, [%0]"
                     :
                     : "r"(address)
                     : "memory");
    uint64_t zero;
    __asm__ volatile("mov %0, xzr" : "=r"(zero));
    tmk_expect_eq(zero, 0);
}

TMK_TEST(stores, 0)
{
    uint64_t address = UNBACKED + 64;
    STORE("strb %w0, [%1]");
    STORE("strh %w0, [%1]");
    STORE("str %w0, [%1]");
    STORE("str %0, [%1]");
    STORE("str %0, [%1, #32]");
    STORE("str %0, [%1, %2, lsl #3]");
    STORE("str %w0, [%1, %w3, sxtw]");
    STORE("stur %0, [%1, #-8]");
    STORE("sturb %w0, [%1, #3]");
    STORE("stlrb %w0, [%1]");
    STORE("stlrh %w0, [%1]");
    STORE("stlr %w0, [%1]");
    STORE("stlr %0, [%1]");
    sweep_loads(address);
}

TMK_TEST(zero_register_stores, 0)
{
    uint64_t address = UNBACKED;
    STORE("str xzr, [%1]");
    STORE("str wzr, [%1]");
    STORE("strh wzr, [%1]");
    STORE("strb wzr, [%1]");
    STORE("stlr xzr, [%1]");
    sweep_loads(address);
}

/* Loads into each register and stores from it; X29 and X30 are put back. */
#define EACH_REGISTER(operation)                                                                                        \
    operation(0) operation(1) operation(2) operation(3) operation(4) operation(5) operation(6) operation(7)             \
    operation(8) operation(9) operation(10) operation(11) operation(12) operation(13) operation(14) operation(15)       \
    operation(16) operation(17) operation(18) operation(19) operation(20) operation(21) operation(22) operation(23)     \
    operation(24) operation(25) operation(26) operation(27) operation(28) operation(29) operation(30)

/* X17 and X16 hold what is asked for, and so take turns. */
#define LOAD_INTO(n) LOAD_INTO_WITH(n, 16) LOAD_INTO_WITH(n, 17)
#define LOAD_INTO_WITH(n, base)                                                                                         \
    if (n != base) {                                                                                                    \
        register uint64_t result __asm__("x15");                                                                        \
        register uint64_t at __asm__("x" #base) = UNBACKED;                                                             \
        __asm__ volatile("mov v31.d[0], x" #n "\n\t"                                                                    \
                         "mov v31.d[1], x" #base "\n\t"                                                                 \
                         "movz x" #n ", #0\n\t"                                                                         \
                         "mov x" #base ", v31.d[1]\n\t"                                                                 \
                         "ldrsh w" #n ", [x" #base "]\n\t"                                                              \
                         "mov v30.d[0], x" #n "\n\t"                                                                    \
                         "str x" #n ", [x" #base ", #8]\n\t"                                                            \
                         "mov x" #n ", v31.d[0]\n\t"                                                                    \
                         "mov x15, v30.d[0]"                                                                            \
                         : "=r"(result), "+r"(at)                                                                       \
                         :                                                                                              \
                         : "v30", "v31", "memory");                                                                     \
        if (result != 0xffffffff)                                                                                       \
            tmk_panic("ldrsh w%d gave 0x%lx, expected 0xffffffff", n, result);                                          \
    }

TMK_TEST(every_register, 0)
{
    EACH_REGISTER(LOAD_INTO)
}

/* The command page is write-only; the rest of it is nothing. */
TMK_TEST(command_page_reads, 0)
{
    sweep_loads(tmk_command_address());
    sweep_loads(tmk_command_address() + 0x800);
}

/* Many exits, one after the other: what a rate of exits is measured on. */
TMK_TEST(thousand_reads, 0)
{
    for (unsigned i = 0; i < 1000; i++)
        tmk_expect_eq(tmk_read32(UNBACKED), 0xffffffff);
}

TMK_TEST(hundred_thousand_reads, 0)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 100000; i++)
        sum += tmk_read8(UNBACKED);
    tmk_expect_eq(sum, 255ul * 100000);
}
