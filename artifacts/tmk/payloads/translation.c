/* Work for the MMU: two address spaces that take turns, each with 4 MiB of pages, and TLB maintenance between them. Its time is measured. */
#include "tmk.h"

#define PAGE 4096ul
#define NOT_EXECUTABLE (3ul << 53)
#define UXN (1ul << 54)

enum {
    TABLE = 3,
    PAGE_DESCRIPTOR = 3,
    DEVICE = 1 << 2,
    ACCESSED = 1 << 10,
    NOT_GLOBAL = 1 << 11,
};

/* Attr0 is Normal Non-cacheable, as all memory is before; Attr1 is Device-nGnRE. 39 bits in the lower half, 4 KiB. */
#define MAIR 0x0444ul
#define TCR (25ul | 1ul << 23 | 2ul << 32)

/* Where nothing else is: 1,024 pages, of fewer frames. */
#define WORK 0x1000000000ul
#define WORK_PAGES 1024ul
#define FRAMES 64ul
#define ROUNDS 400u
/* What is read altogether: as QEMU has it. */
#define SUM 0x4273ffe5f3a009e2ul

static uint64_t frames[FRAMES][512] __attribute__((aligned(4096)));
static uint64_t tables[20][512] __attribute__((aligned(4096)));
static unsigned tables_used;

extern char tmk_image_start[] __attribute__((visibility("hidden")));
extern char tmk_image_end[] __attribute__((visibility("hidden")));

static uint64_t *new_table(void)
{
    tmk_assert(tables_used < 20);
    return tables[tables_used++];
}

static void map(uint64_t *root, uint64_t address, const void *frame, uint64_t attributes)
{
    uint64_t *table = root;
    for (unsigned level = 1; level < 3; level++) {
        uint64_t *entry = &table[address >> (39 - 9 * level) & 511];
        if (*entry == 0)
            *entry = (uint64_t)new_table() | TABLE;
        table = (uint64_t *)(*entry & 0xfffffffff000ul);
    }
    table[address >> 12 & 511] = (uint64_t)frame | attributes | ACCESSED | PAGE_DESCRIPTOR;
}

static uint64_t *address_space(uint64_t first_frame)
{
    uint64_t *root = new_table();
    for (char *page = tmk_image_start; page < tmk_image_end; page += PAGE)
        map(root, (uint64_t)page, page, UXN);
    uint64_t command = tmk_command_address() & ~(PAGE - 1);
    map(root, command, (void *)command, DEVICE | NOT_EXECUTABLE);
    for (uint64_t page = 0; page < WORK_PAGES; page++)
        map(root, WORK + page * PAGE, frames[(first_frame + page) % FRAMES], NOT_EXECUTABLE | NOT_GLOBAL);
    return root;
}

static void enter(const uint64_t *root, uint64_t asid)
{
    tmk_sysreg_write(ttbr0_el1, (uint64_t)root | asid << 48);
}

/* Reads and writes a word of each page. */
static uint64_t touch(void)
{
    uint64_t sum = 0;
    for (uint64_t page = 0; page < WORK_PAGES; page++) {
        volatile uint64_t *word = (volatile uint64_t *)(WORK + page * PAGE + (page & 63) * 8);
        sum += *word;
        *word = sum;
    }
    return sum;
}

static void start(uint64_t **spaces)
{
    for (uint64_t frame = 0; frame < FRAMES; frame++)
        for (uint64_t word = 0; word < 512; word++)
            frames[frame][word] = frame * 512 + word;
    spaces[0] = address_space(0);
    spaces[1] = address_space(1);
    tmk_sysreg_write(mair_el1, MAIR);
    tmk_sysreg_write(tcr_el1, TCR);
    enter(spaces[0], 1);
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
    tmk_sysreg_write(sctlr_el1, tmk_sysreg_read(sctlr_el1) | 1);
}

TMK_TEST(switches, 0)
{
    uint64_t *spaces[2];
    start(spaces);
    uint64_t sum = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        enter(spaces[round & 1], 1 + (round & 1));
        sum += touch();
    }
    tmk_expect_eq(sum, SUM);
}

TMK_TEST(maintenance, 0)
{
    uint64_t *spaces[2];
    start(spaces);
    uint64_t sum = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t asid = 1 + (round & 1);
        enter(spaces[round & 1], asid);
        sum += touch();
        for (uint64_t page = 0; page < 32; page++) {
            uint64_t operand = (WORK >> 12) + (page * 37 + round) % WORK_PAGES + (asid << 48);
            __asm__ volatile("dsb ishst\n\ttlbi vale1is, %0\n\tdsb ish" : : "r"(operand) : "memory");
        }
        if (round % 16 == 0)
            __asm__ volatile("tlbi aside1is, %0\n\tdsb ish\n\tisb" : : "r"(asid << 48) : "memory");
    }
    tmk_expect_eq(sum, SUM);
}
