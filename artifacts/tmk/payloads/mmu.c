/* The MMU: tables of all granules at EL1 and EL0, in both halves, faults of each kind, and changes followed by TLB maintenance. */
#include "catch.h"
#include "tmk.h"

#define PAGE 4096ul
#define NOT_EXECUTABLE (3ul << 53)
#define PXN (1ul << 53)
#define UXN (1ul << 54)
#define READ_ONLY_TABLE (1ul << 62)

enum {
    VALID = 1,
    TABLE = 3,
    PAGE_DESCRIPTOR = 3,
    DEVICE = 1 << 2,
    USER = 1 << 6,
    READ_ONLY = 1 << 7,
    ACCESSED = 1 << 10,
    NOT_GLOBAL = 1 << 11,
};

/* Attr0 is Normal Non-cacheable, as all memory is before: no cache holds what is older than memory. Attr1 is Device-nGnRE. */
#define MAIR 0x0444ul
/* 39 bits in both halves, so that walks start at level 1; 4 KiB; output addresses of 40 bits. */
#define TCR_4K (25ul | 25ul << 16 | 2ul << 30 | 2ul << 32)
/* 32 bits in the lower half, so that walks start at level 2, which may have blocks; the upper half is off. */
#define TCR_16K (32ul | 2ul << 14 | 1ul << 23 | 25ul << 16 | 2ul << 30 | 2ul << 32)
#define TCR_64K (32ul | 1ul << 14 | 1ul << 23 | 25ul << 16 | 2ul << 30 | 2ul << 32)

/* Addresses at which nothing else is. */
#define USER_CODE 0x1000000000ul
#define USER_DATA 0x1000200000ul
#define KERNEL_DATA 0x1000400000ul
#define HOLES 0x1000600000ul
#define UPPER 0xffffff8000000000ul

#define MAX_TABLES 24
static uint64_t tables[MAX_TABLES][512] __attribute__((aligned(4096)));
static unsigned tables_used;
static uint64_t *lower, *upper, *other;

static uint64_t frame_a[512] __attribute__((aligned(4096)));
static uint64_t frame_b[512] __attribute__((aligned(4096)));

extern char tmk_image_start[] __attribute__((visibility("hidden")));
extern char tmk_image_end[] __attribute__((visibility("hidden")));

/* Code for EL0, with an operand in X2. */
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "user_code:\n"
        "ldr x3, [x2]\n"
        "svc #1\n"
        ".balign 16\n"
        "str x3, [x2]\n"
        "svc #2\n"
        ".balign 16\n"
        "ldr x3, [x2]\n"
        "add x3, x3, #1\n"
        "str x3, [x2]\n"
        "svc #3\n"
        ".balign 16\n"
        "br x2\n"
        ".balign 4096\n"
        ".popsection\n");
extern char user_code[] __attribute__((visibility("hidden")));
enum { LOADS = 0, STORES = 16, INCREMENTS = 32, BRANCHES = 48 };

static uint64_t *new_table(void)
{
    tmk_assert(tables_used < MAX_TABLES);
    return tables[tables_used++];
}

/* The entry of an address in a table of the 4 KiB granule. */
static uint64_t *entry_at(uint64_t *table, unsigned level, uint64_t address)
{
    return &table[address >> (39 - 9 * level) & 511];
}

/* The level 3 entry of an address, with the tables on the way. */
static uint64_t *page_entry(uint64_t *root, uint64_t address)
{
    uint64_t *table = root;
    for (unsigned level = 1; level < 3; level++) {
        uint64_t *entry = entry_at(table, level, address);
        if (*entry == 0)
            *entry = (uint64_t)new_table() | TABLE;
        table = (uint64_t *)(*entry & 0xfffffffff000ul);
    }
    return entry_at(table, 3, address);
}

static void map(uint64_t *root, uint64_t address, const void *frame, uint64_t attributes)
{
    *page_entry(root, address) = (uint64_t)frame | attributes | ACCESSED | PAGE_DESCRIPTOR;
}

static void barrier(void)
{
    __asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

static void flush_all(void)
{
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

static void flush(uint64_t address)
{
    __asm__ volatile("dsb sy\n\ttlbi vaae1, %0\n\tdsb sy\n\tisb" : : "r"(address << 8 >> 20) : "memory");
}

/* What the runtime needs, at its own addresses, for EL1 only. */
static void map_image(uint64_t *root)
{
    for (char *page = tmk_image_start; page < tmk_image_end; page += PAGE)
        map(root, (uint64_t)page, page, UXN);
    uint64_t command = tmk_command_address() & ~(PAGE - 1);
    map(root, command, (void *)command, DEVICE | NOT_EXECUTABLE);
}

static void enable(uint64_t tcr, const void *ttbr0, const void *ttbr1)
{
    tmk_sysreg_write(mair_el1, MAIR);
    tmk_sysreg_write(tcr_el1, tcr);
    tmk_sysreg_write(ttbr0_el1, ttbr0);
    tmk_sysreg_write(ttbr1_el1, ttbr1);
    flush_all();
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 1);
}

static void disable(void)
{
    barrier();
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) & ~1ul);
}

/* Tables of 4 KiB, with pages for the tests, and the MMU on. */
static void start(void)
{
    install_vectors();
    lower = new_table();
    upper = new_table();
    map_image(lower);
    map(lower, USER_CODE, user_code, USER | READ_ONLY | PXN);
    map(lower, USER_DATA, frame_a, USER | NOT_EXECUTABLE);
    map(lower, KERNEL_DATA, frame_b, NOT_EXECUTABLE);
    map(lower, KERNEL_DATA + PAGE, frame_b, READ_ONLY | NOT_EXECUTABLE);
    frame_a[0] = 0xa;
    frame_b[0] = 0xb;
    enable(TCR_4K, lower, upper);
}

static uint64_t load(uint64_t address)
{
    return tmk_read64(address);
}

/* Runs a piece of `user_code` at EL0. */
static void at_el0(uint64_t piece, uint64_t operand)
{
    tmk_sysreg_write(elr_el1, USER_CODE + piece);
    tmk_sysreg_write(spsr_el1, 0);
    CATCH(operand, "eret\n8:");
}

static void expect_fault(uint64_t esr, uint64_t elr, uint64_t address)
{
    expect_exception(esr, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(caught.far, address);
}

static void expect_el0_fault(uint64_t esr, uint64_t elr, uint64_t address)
{
    expect_exception(esr, elr, VECTOR_EL0_SYNC);
    tmk_expect_eq(caught.far, address);
}

TMK_TEST(translates, 0)
{
    start();
    tmk_log("the MMU is on: SCTLR_EL1 0x%lx", tmk_sysreg_read(sctlr_el1));
    tmk_expect_eq(load(USER_DATA), 0xa);
    tmk_expect_eq(load(KERNEL_DATA), 0xb);
    tmk_write64(KERNEL_DATA + 8, 0x1234);
    tmk_expect_eq(frame_b[1], 0x1234);
    disable();
    tmk_expect_eq(frame_b[1], 0x1234);
    tmk_write64((uint64_t)&frame_b[1], 0x5678);
    enable(TCR_4K, lower, upper);
    tmk_expect_eq(load(KERNEL_DATA + 8), 0x5678);
}

TMK_TEST(upper_half, 0)
{
    start();
    map(upper, UPPER, frame_b, NOT_EXECUTABLE);
    map(upper, UPPER + PAGE, frame_a, NOT_EXECUTABLE);
    barrier();
    tmk_expect_eq(load(UPPER), 0xb);
    tmk_expect_eq(load(UPPER + PAGE), 0xa);
    /* Code, and an access that crosses pages which are not neighbours in memory. */
    map(upper, -PAGE, user_code, READ_ONLY | UXN);
    barrier();
    uint64_t elr = CATCH(UPPER, "mov x4, #-4096\n\tbr x4\n\t8:");
    (void)elr;
    expect_exception(0x56000001, -PAGE + 8, VECTOR_EL1H_SYNC);
    frame_b[511] = 0x1122334455667788;
    tmk_expect_eq(load(UPPER + PAGE - 4), 0xa11223344);
    /* Just below the half. */
    elr = CATCH(UPPER - 8, "8: ldr x3, [x2]");
    expect_fault(0x96000004, elr, UPPER - 8);
    elr = CATCH(0x0000800000000000, "8: ldr x3, [x2]");
    expect_fault(0x96000004, elr, 0x0000800000000000);
}

TMK_TEST(translation_faults, 0)
{
    start();
    uint64_t elr = CATCH(0x3000000018, "8: ldr x3, [x2]");
    expect_fault(0x96000005, elr, 0x3000000018);
    elr = CATCH(HOLES + 0x20, "8: str x3, [x2]");
    expect_fault(0x96000046, elr, HOLES + 0x20);
    elr = CATCH(USER_DATA + PAGE + 1, "8: ldrb w3, [x2]");
    expect_fault(0x96000007, elr, USER_DATA + PAGE + 1);
    CATCH(USER_DATA + PAGE, "8: br x2");
    expect_fault(0x86000007, USER_DATA + PAGE, USER_DATA + PAGE);
    CATCH(1ul << 39, "8: br x2");
    expect_fault(0x86000004, 1ul << 39, 1ul << 39);
    /* The second page of an access. */
    elr = CATCH(USER_DATA + PAGE - 4, "8: ldr x3, [x2]");
    expect_fault(0x96000007, elr, USER_DATA + PAGE);
    /* What would be a block is reserved at the last level. */
    *page_entry(lower, HOLES) = (uint64_t)frame_a | ACCESSED | VALID;
    barrier();
    elr = CATCH(HOLES, "8: ldr x3, [x2]");
    expect_fault(0x96000007, elr, HOLES);
    /* A half that is off. */
    tmk_sysreg_write(tcr_el1, TCR_4K | 1ul << 23);
    flush_all();
    elr = CATCH(UPPER, "8: ldr x3, [x2]");
    expect_fault(0x96000004, elr, UPPER);
}

TMK_TEST(permission_faults, 0)
{
    start();
    uint64_t elr = CATCH(KERNEL_DATA + PAGE, "ldr x3, [x2]\n\t8: str x3, [x2]");
    expect_fault(0x9600004f, elr, KERNEL_DATA + PAGE);
    CATCH(KERNEL_DATA, "8: br x2");
    expect_fault(0x8600000f, KERNEL_DATA, KERNEL_DATA);
    CATCH(USER_CODE, "8: br x2");
    expect_fault(0x8600000f, USER_CODE, USER_CODE);
    /* What EL0 may write is never executable at EL1. */
    map(lower, HOLES, user_code, USER);
    barrier();
    CATCH(HOLES, "8: br x2");
    expect_fault(0x8600000f, HOLES, HOLES);
    tmk_expect_eq(frame_b[0], 0xb);
}

TMK_TEST(access_flag_fault, 0)
{
    start();
    map(lower, HOLES, frame_a, NOT_EXECUTABLE);
    *page_entry(lower, HOLES) &= ~(uint64_t)ACCESSED;
    barrier();
    uint64_t elr = CATCH(HOLES, "8: ldr x3, [x2]");
    expect_fault(0x9600000b, elr, HOLES);
    /* It is never cached, so that the flag may be set without maintenance. */
    *page_entry(lower, HOLES) |= ACCESSED;
    barrier();
    tmk_expect_eq(load(HOLES), 0xa);
}

TMK_TEST(address_size_faults, 0)
{
    start();
    map(lower, HOLES, (void *)(1ul << 40), NOT_EXECUTABLE);
    *entry_at(lower, 1, 0x2000000000) = 1ul << 40 | TABLE;
    barrier();
    uint64_t elr = CATCH(HOLES, "8: ldr x3, [x2]");
    expect_fault(0x96000003, elr, HOLES);
    elr = CATCH(0x2000000000, "8: ldr x3, [x2]");
    expect_fault(0x96000001, elr, 0x2000000000);
}

TMK_TEST(block, 0)
{
    start();
    uint64_t at = (uint64_t)frame_a & ~0x1ffffful;
    page_entry(lower, HOLES);
    uint64_t *table = (uint64_t *)(*entry_at(lower, 1, HOLES) & 0xfffffffff000ul);
    *entry_at(table, 2, HOLES) = at | NOT_EXECUTABLE | ACCESSED | VALID;
    flush_all();
    tmk_expect_eq(load(HOLES + ((uint64_t)frame_a - at)), 0xa);
    uint64_t elr = CATCH(HOLES + 0x1000, "8: br x2");
    (void)elr;
    expect_fault(0x8600000e, HOLES + 0x1000, HOLES + 0x1000);
}

TMK_TEST(table_permissions, 0)
{
    start();
    page_entry(lower, KERNEL_DATA);
    uint64_t *table = (uint64_t *)(*entry_at(lower, 1, KERNEL_DATA) & 0xfffffffff000ul);
    *entry_at(table, 2, KERNEL_DATA) |= READ_ONLY_TABLE;
    flush_all();
    uint64_t elr = CATCH(KERNEL_DATA, "ldr x3, [x2]\n\t8: str x3, [x2]");
    expect_fault(0x9600004f, elr, KERNEL_DATA);
}

TMK_TEST(remaps, 0)
{
    start();
    for (unsigned round = 0; round < 100; round++) {
        bool odd = (round & 1) != 0;
        *page_entry(lower, HOLES) = 0;
        flush(HOLES);
        map(lower, HOLES, odd ? frame_a : frame_b, NOT_EXECUTABLE);
        barrier();
        tmk_expect_eq(load(HOLES), odd ? 0xa : 0xb);
    }
    *page_entry(lower, HOLES) = 0;
    flush(HOLES);
    uint64_t elr = CATCH(HOLES, "8: ldr x3, [x2]");
    expect_fault(0x96000007, elr, HOLES);
    /* Permissions are taken away. */
    tmk_write64(USER_DATA, 1);
    *page_entry(lower, USER_DATA) |= READ_ONLY;
    flush(USER_DATA);
    elr = CATCH(USER_DATA, "8: str x3, [x2]");
    expect_fault(0x9600004f, elr, USER_DATA);
}

/* Two address spaces that differ in one page, told apart by ASIDs. */
TMK_TEST(address_spaces, 0)
{
    start();
    other = new_table();
    map_image(other);
    map(lower, HOLES, frame_a, NOT_EXECUTABLE | NOT_GLOBAL);
    map(other, HOLES, frame_b, NOT_EXECUTABLE | NOT_GLOBAL);
    barrier();
    for (unsigned round = 0; round < 100; round++) {
        tmk_sysreg_write(ttbr0_el1, (uint64_t)lower | 1ul << 48);
        tmk_expect_eq(load(HOLES), 0xa);
        tmk_sysreg_write(ttbr0_el1, (uint64_t)other | 2ul << 48);
        tmk_expect_eq(load(HOLES), 0xb);
    }
}

TMK_TEST(el0, 0)
{
    start();
    at_el0(INCREMENTS, USER_DATA);
    expect_exception(0x56000003, USER_CODE + INCREMENTS + 16, VECTOR_EL0_SYNC);
    tmk_expect_eq(caught.spsr & 0x3ff, 0);
    tmk_expect_eq(frame_a[0], 0xb);
    tmk_expect_eq(tmk_sysreg_read(currentel), 1 << 2);
}

TMK_TEST(el0_faults, 0)
{
    start();
    at_el0(LOADS, KERNEL_DATA);
    expect_el0_fault(0x9200000f, USER_CODE + LOADS, KERNEL_DATA);
    at_el0(STORES, USER_CODE);
    expect_el0_fault(0x9200004f, USER_CODE + STORES, USER_CODE);
    at_el0(STORES, HOLES);
    expect_el0_fault(0x92000046, USER_CODE + STORES, HOLES);
    at_el0(BRANCHES, USER_DATA);
    expect_el0_fault(0x8200000f, USER_DATA, USER_DATA);
    at_el0(BRANCHES, HOLES);
    expect_el0_fault(0x82000006, HOLES, HOLES);
    /* EL1 has read it, and still may. */
    tmk_expect_eq(load(KERNEL_DATA), 0xb);
}

/* LDTR and STTR have the permissions of EL0. */
TMK_TEST(unprivileged, 0)
{
    start();
    uint64_t elr = CATCH(USER_DATA, "ldtr x3, [x2]\n\tsttr x3, [x2, #8]\n\tsvc #4\n\t8:");
    expect_exception(0x56000004, elr, VECTOR_EL1H_SYNC);
    tmk_expect_eq(frame_a[1], 0xa);
    elr = CATCH(KERNEL_DATA, "ldr x3, [x2]\n\t8: ldtr x3, [x2]");
    expect_fault(0x9600000f, elr, KERNEL_DATA);
    elr = CATCH(USER_CODE, "ldtr x3, [x2]\n\t8: sttr x3, [x2]");
    expect_fault(0x9600004f, elr, USER_CODE);
}

TMK_TEST(privileged_access_never, 0)
{
    start();
    if ((tmk_sysreg_read(id_aa64mmfr1_el1) >> 20 & 15) == 0) {
        tmk_log("there is no FEAT_PAN");
        return;
    }
    tmk_expect_eq(load(USER_DATA), 0xa);
    /* MSR PAN, #1. */
    uint64_t elr = CATCH(USER_DATA, ".inst 0xd500419f\n\tldtr x3, [x2]\n\t8: ldr x3, [x2]");
    tmk_expect_eq(caught.spsr >> 22 & 1, 1);
    expect_fault(0x9600000f, elr, USER_DATA);
    tmk_expect_eq(load(USER_DATA), 0xa);
}

/* Tagged addresses, where TBI0 is set. */
TMK_TEST(top_byte_ignored, 0)
{
    start();
    uint64_t tagged = USER_DATA | 0x5aul << 56;
    uint64_t elr = CATCH(tagged, "8: ldr x3, [x2]");
    expect_fault(0x96000004, elr, tagged);
    tmk_sysreg_write(tcr_el1, TCR_4K | 1ul << 37);
    flush_all();
    tmk_expect_eq(load(tagged), 0xa);
    elr = CATCH(tagged + PAGE, "8: ldr x3, [x2]");
    expect_fault(0x96000007, elr, tagged + PAGE);
    /* A branch drops the tag. */
    CATCH(tagged, "8: br x2");
    expect_fault(0x8600000f, USER_DATA, USER_DATA);
}

TMK_TEST(alignment, 0)
{
    start();
    frame_a[0] = 0x1122334455667788;
    frame_a[1] = 0x99;
    tmk_expect_eq(load(USER_DATA + 1), 0x9911223344556677);
    /* Across 16 bytes, within which FEAT_LSE2 has no fault. */
    uint64_t elr = CATCH(USER_DATA + 12, "8: ldxr x3, [x2]");
    expect_fault(0x96000021, elr, USER_DATA + 12);
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 2);
    elr = CATCH(USER_DATA + 1, "8: str x3, [x2]");
    expect_fault(0x96000061, elr, USER_DATA + 1);
}

TMK_TEST(zeroes_a_block, 0)
{
    start();
    for (unsigned word = 0; word < 512; word++)
        frame_a[word] = ~0ul;
    uint64_t size = 4ul << (tmk_sysreg_read(dczid_el0) & 15);
    __asm__ volatile("dc zva, %0" : : "r"(USER_DATA + 2 * size + 8) : "memory");
    for (uint64_t word = 0; word < 512; word++)
        tmk_expect_eq(frame_a[word], word * 8 >= 2 * size && word * 8 < 3 * size ? 0 : ~0ul);
    uint64_t elr = CATCH(KERNEL_DATA + PAGE + 8, "8: dc zva, x2");
    expect_exception(0x9600004f, elr, VECTOR_EL1H_SYNC);
}

#define TRANSLATE(operation, address)                                                                                   \
    ({                                                                                                                  \
        __asm__ volatile("at " operation ", %0\n\tisb" : : "r"((uint64_t)(address)) : "memory");                        \
        tmk_sysreg_read(par_el1);                                                                                       \
    })
#define ADDRESS_OF(par) ((par) & 0xfffffffff001ul)
#define FAULT_OF(par) ((par) & 0x7f)

TMK_TEST(address_translation, 0)
{
    start();
    tmk_expect_eq(ADDRESS_OF(TRANSLATE("s1e1r", USER_DATA + 0x123)), (uint64_t)frame_a);
    tmk_expect_eq(ADDRESS_OF(TRANSLATE("s1e0w", USER_DATA)), (uint64_t)frame_a);
    tmk_expect_eq(ADDRESS_OF(TRANSLATE("s1e1w", KERNEL_DATA)), (uint64_t)frame_b);
    tmk_expect_eq(TRANSLATE("s1e1r", KERNEL_DATA) >> 56, 0x44);
    tmk_expect_eq(TRANSLATE("s1e1r", tmk_command_address()) >> 56, 0x04);
    tmk_expect_eq(FAULT_OF(TRANSLATE("s1e0r", KERNEL_DATA)), 0x0f << 1 | 1);
    tmk_expect_eq(FAULT_OF(TRANSLATE("s1e1w", KERNEL_DATA + PAGE)), 0x0f << 1 | 1);
    tmk_expect_eq(FAULT_OF(TRANSLATE("s1e1r", HOLES)), 0x06 << 1 | 1);
    tmk_expect_eq(FAULT_OF(TRANSLATE("s1e0r", 1ul << 40)), 0x04 << 1 | 1);
    disable();
    tmk_expect_eq(ADDRESS_OF(TRANSLATE("s1e1r", frame_a)), (uint64_t)frame_a);
}

/* One table of blocks at level 2: everything where it is, Normal up to the block of the command page, which is a device. */
static void map_blocks(uint64_t tcr, unsigned log_size)
{
    install_vectors();
    tmk_assert((uint64_t)tmk_image_end < 1ul << 32);
    uint64_t *table = new_table();
    for (uint64_t block = 0; block < 1ul << (32 - log_size); block++) {
        bool device = block == tmk_command_address() >> log_size;
        table[block] = block << log_size | (device ? DEVICE | NOT_EXECUTABLE : UXN) | ACCESSED | VALID;
    }
    frame_a[0] = 0xa;
    enable(tcr, table, 0);
    tmk_expect_eq(frame_a[0], 0xa);
    uint64_t elr = CATCH(1ul << 32, "8: ldr x3, [x2]");
    expect_fault(0x96000004, elr, 1ul << 32);
    /* Without the block: the levels are those of the granule. */
    uint64_t hole = ((uint64_t)tmk_image_end >> log_size) + 1;
    table[hole] = 0;
    flush_all();
    elr = CATCH(hole << log_size, "8: ldr x3, [x2]");
    expect_fault(0x96000006, elr, hole << log_size);
    /* Pages of the granule, from a table that is aligned to it. */
    uint64_t page = log_size == 25 ? 0x4000 : 0x10000;
    static char space[3 * 0x10000];
    uint64_t *pages = (uint64_t *)(((uint64_t)space + page - 1) & ~(page - 1));
    uint64_t frame = (uint64_t)pages + page;
    pages[1] = frame | NOT_EXECUTABLE | ACCESSED | PAGE_DESCRIPTOR;
    table[hole] = (uint64_t)pages | TABLE;
    flush_all();
    tmk_write64(frame + page - 8, 0x77);
    tmk_expect_eq(load((hole << log_size) + 2 * page - 8), 0x77);
    elr = CATCH((hole << log_size) + 2 * page, "8: ldr x3, [x2]");
    expect_fault(0x96000007, elr, (hole << log_size) + 2 * page);
}

TMK_TEST(granule_16k, 0)
{
    if ((tmk_sysreg_read(id_aa64mmfr0_el1) >> 20 & 15) == 0) {
        tmk_log("there is no granule of 16 KiB");
        return;
    }
    map_blocks(TCR_16K, 25);
}

TMK_TEST(granule_64k, 0)
{
    if ((tmk_sysreg_read(id_aa64mmfr0_el1) >> 24 & 15) == 15) {
        tmk_log("there is no granule of 64 KiB");
        return;
    }
    map_blocks(TCR_64K, 29);
}
