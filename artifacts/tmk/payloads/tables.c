/*
 * Random translation tables: what address translation instructions, loads, stores and branches make of them is folded into
 * a digest, which is the one that QEMU gives (record-digests.mjs). All of it is about the upper half; the lower one has the
 * image. With a digest that differs, change FIRST and LAST to find the round.
 */
#include "catch.h"
#include "forms.h"
#include "tmk.h"

#define PAGE 4096ul
#define UXN (1ul << 54)
#define NOT_EXECUTABLE (3ul << 53)
#define RETURNS 0xd65f03c0d65f03c0ul
#define WXN (1ul << 19)

enum { TABLE = 3, DEVICE = 1 << 2, ACCESSED = 1 << 10 };

#define MAIR 0x0444ul
/* 39 bits in the lower half, 4 KiB; output addresses of 40 bits. */
#define TCR (25ul | 2ul << 32)
#define TG1_4K (2ul << 30)
#define TG1_16K (1ul << 30)
#define TG1_64K (3ul << 30)

#define POOL_TABLES 64ul
static uint64_t pool[POOL_TABLES * 512] __attribute__((aligned(65536)));
/* Filled with returns, so that a branch to it comes back. */
static uint64_t frames[2 * 8192] __attribute__((aligned(65536)));
static uint64_t lower[8][512] __attribute__((aligned(4096)));
static unsigned lower_used;

extern char tmk_image_start[] __attribute__((visibility("hidden")));
extern char tmk_image_end[] __attribute__((visibility("hidden")));

static uint64_t state;
static uint64_t digest;

/* xorshift64* */
static uint64_t random_word(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
}
static uint64_t below(uint64_t limit)
{
    return (random_word() >> 32) % limit;
}
static bool percent(unsigned chance)
{
    return below(100) < chance;
}

/* The form of the tables of a round. */
static unsigned granule, input_bits;

static unsigned stride(void)
{
    return granule - 3;
}
static unsigned first_level(void)
{
    return 4 - (input_bits - granule + stride() - 1) / stride();
}
static unsigned shift_of(unsigned level)
{
    return granule + stride() * (3 - level);
}
static uint64_t entries_of(unsigned level)
{
    unsigned bits = level == first_level() ? input_bits - shift_of(level) : stride();
    return 1ul << bits;
}
static uint64_t *table(uint64_t index)
{
    return &pool[(index << (granule - 3)) % (POOL_TABLES * 512)];
}
static uint64_t tables_in_pool(void)
{
    return POOL_TABLES * 512 >> (granule - 3);
}

/* All tables but the first are for one level each. */
static unsigned level_of(uint64_t index)
{
    return index == 0 ? first_level() : 1 + (unsigned)(index % 3);
}
static uint64_t table_of(unsigned level)
{
    for (;;) {
        uint64_t index = 1 + below(tables_in_pool() - 1);
        if (level_of(index) == level)
            return index;
    }
}

/* Only a few entries of each table are used, so that random addresses meet them. */
static uint64_t some_index(unsigned level)
{
    uint64_t choice = below(4);
    return choice == 3 ? entries_of(level) - 1 : choice % entries_of(level);
}

static uint64_t leaf(unsigned level, uint64_t type)
{
    uint64_t size = 1ul << shift_of(level);
    uint64_t output = ((uint64_t)frames + below(2) * 65536) & ~(size - 1);
    if (percent(3))
        output |= 1ul << 44;
    uint64_t bits = random_word();
    /* AttrIndx, AP, SH, nG, PXN, UXN and what is for software. */
    uint64_t attributes = bits & (1ul << 2 | 3ul << 6 | 3ul << 8 | 1ul << 11 | 3ul << 53 | 0xful << 55);
    return output | attributes | (percent(88) ? ACCESSED : 0) | type;
}

/* Not where blocks are reserved: QEMU 7 takes them for blocks. */
static bool has_leaves(unsigned level)
{
    return level > (granule == 12 ? 0u : 1u);
}

static uint64_t descriptor(unsigned level)
{
    if (percent(8))
        return random_word() & 0xfffffffffe & ~1ul;
    if (level == 3)
        return leaf(3, percent(92) ? 3 : 1);
    if (percent(25) && has_leaves(level))
        return leaf(level, 1);
    /* Restrictions of tables, now and then. */
    uint64_t restrictions = percent(70) ? 0 : random_word() & 0x1ful << 59;
    return (uint64_t)table(table_of(level + 1)) | restrictions | TABLE;
}

static void fill(void)
{
    for (uint64_t index = 0; index < tables_in_pool(); index++) {
        unsigned level = level_of(index);
        uint64_t last = entries_of(level < first_level() ? first_level() : level) - 1;
        for (unsigned entry = 0; entry < 4; entry++)
            table(index)[entry == 3 ? last : entry] = descriptor(level);
    }
}

static uint64_t some_address(void)
{
    uint64_t address = 0;
    for (unsigned level = first_level(); level <= 3; level++)
        address |= some_index(level) << shift_of(level);
    address |= below(1ul << granule) & ~7ul;
    if (percent(3))
        return random_word() | 1ul << 63;
    return address | -1ul << input_bits;
}

static void flush(void)
{
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

#define TRANSLATE(operation, address)                                                                                   \
    ({                                                                                                                  \
        __asm__ volatile("at " operation ", %0\n\tisb" : : "r"((uint64_t)(address)) : "memory");                        \
        tmk_sysreg_read(par_el1);                                                                                       \
    })

/* PAR_EL1 without the shareability, and whether the access would reach memory that is there. */
static bool fold_par(uint64_t par, uint64_t address)
{
    digest = fold(digest, (par & 1) != 0 ? par & 0x37f : par & 0xff00fffffffff001);
    uint64_t place = (par & 0xfffffffff000) | (address & 0xfff);
    return (par & 1) != 0 || (place >= (uint64_t)frames && place < (uint64_t)frames + sizeof(frames));
}

static void fold_exception(void)
{
    digest = fold(digest, caught.count);
    if (caught.count == 0)
        return;
    digest = fold(digest, caught.esr);
    digest = fold(digest, caught.far);
}

#define RUN(address, instructions)                                                                                      \
    do {                                                                                                                \
        CATCH(address, instructions "\n\t8:");                                                                          \
        fold_exception();                                                                                               \
        caught.resume = 0;                                                                                              \
    } while (0)

static void __attribute__((noinline)) branch(uint64_t address)
{
    /* The link register is saved by this function; an exception leaves it as the branch wrote it. */
    RUN(address, "mov x4, x30\n\tblr x2\n\tmov x30, x4");
    __asm__ volatile("" : : : "x30");
}

static void ask(uint64_t address, bool branches)
{
    bool reads = fold_par(TRANSLATE("s1e1r", address), address);
    bool writes = fold_par(TRANSLATE("s1e1w", address), address);
    bool user_reads = fold_par(TRANSLATE("s1e0r", address), address);
    bool user_writes = fold_par(TRANSLATE("s1e0w", address), address);
    register uint64_t pattern __asm__("x3") = RETURNS;
    __asm__ volatile("" : "+r"(pattern));
    if (reads)
        RUN(address, "ldr x3, [x2]");
    if (writes)
        RUN(address, "ldr x3, =0xd65f03c0d65f03c0\n\tstr x3, [x2]");
    if (user_reads)
        RUN(address, "ldtr x3, [x2]");
    if (user_writes)
        RUN(address, "ldr x3, =0xd65f03c0d65f03c0\n\tsttr x3, [x2]");
    if (reads && branches)
        branch(address & ~3ul);
}

/* Gives the last descriptor of an address another value, by break before make, with maintenance of this address only. */
static void change(uint64_t address)
{
    uint64_t *at = table(0);
    for (unsigned level = first_level();; level++) {
        uint64_t *entry = &at[(address >> shift_of(level)) & (entries_of(level) - 1)];
        if (level == 3 || (*entry & 3) != TABLE) {
            *entry = 0;
            uint64_t operand = address << 8 >> 20;
            __asm__ volatile("dsb sy\n\ttlbi vaae1, %0\n\tdsb sy\n\tisb" : : "r"(operand) : "memory");
            *entry = has_leaves(level) ? leaf(level, level == 3 ? 3 : 1) : 0;
            __asm__ volatile("dsb sy\n\tisb" : : : "memory");
            return;
        }
        at = (uint64_t *)(*entry & 0xfffffffff000);
    }
}

static void map_lower(uint64_t address, uint64_t attributes)
{
    uint64_t *at = lower[0];
    for (unsigned level = 1; level < 3; level++) {
        uint64_t *entry = &at[address >> (39 - 9 * level) & 511];
        if (*entry == 0)
            *entry = (uint64_t)lower[++lower_used] | TABLE;
        at = (uint64_t *)(*entry & 0xfffffffff000);
    }
    at[address >> 12 & 511] = address | attributes | ACCESSED | 3;
}

static void start(void)
{
    install_vectors();
    for (uint64_t page = (uint64_t)tmk_image_start; page < (uint64_t)tmk_image_end; page += PAGE)
        map_lower(page, UXN);
    map_lower(tmk_command_address() & ~(PAGE - 1), DEVICE | NOT_EXECUTABLE);
    for (uint64_t word = 0; word < 2 * 8192; word++)
        frames[word] = RETURNS;
    tmk_sysreg_write(mair_el1, MAIR);
}

#define ROUNDS 24u
#define QUESTIONS 40u

static void rounds(unsigned granule_bits, uint64_t tg1, uint64_t seed)
{
    start();
    state = seed;
    digest = DIGEST_START;
    granule = granule_bits;
    for (unsigned round = 0; round < ROUNDS; round++) {
        input_bits = 25 + (unsigned)below(24);
        fill();
        tmk_sysreg_write(tcr_el1, TCR | tg1 | (64ul - input_bits) << 16);
        tmk_sysreg_write(ttbr0_el1, lower[0]);
        tmk_sysreg_write(ttbr1_el1, table(0));
        flush();
        tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 1);
        for (unsigned question = 0; question < QUESTIONS; question++) {
            uint64_t address = some_address();
            ask(address, true);
            if (address >> 48 != 0xffff || percent(60))
                continue;
            ask(address ^ 0x3000, true);
            change(address);
            ask(address, true);
            /* Of a block or a page of 64 KiB this is another part, whose code QEMU 7 keeps. */
            ask(address ^ 0x3000, false);
            /* The table may serve other addresses too. */
            flush();
        }
        tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) & ~1ul);
    }
}

#define RECORDED(what, expected) form_result(__FILE__, __LINE__, what, digest, expected)

static void end(void)
{
    if (forms_wrong != 0)
        tmk_panic("translations differ");
}

TMK_TEST(granule_4k, 0)
{
    rounds(12, TG1_4K, 1);
    RECORDED("random tables", 0x1dc328d93c40cff8);
    end();
}

TMK_TEST(granule_4k_again, 0)
{
    rounds(12, TG1_4K, 0x5eed);
    RECORDED("random tables", 0x9efc1b6faaa07bc1);
    end();
}

TMK_TEST(granule_16k, 0)
{
    rounds(14, TG1_16K, 3);
    RECORDED("random tables", 0x0d4d5893bfe9a626);
    end();
}

TMK_TEST(granule_64k, 0)
{
    rounds(16, TG1_64K, 2);
    RECORDED("random tables", 0xd11c8d243c436137);
    end();
}

TMK_TEST(granule_64k_again, 0)
{
    rounds(16, TG1_64K, 0xfeed);
    RECORDED("random tables", 0x9c773d7af18596e3);
    end();
}
