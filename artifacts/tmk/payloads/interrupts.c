/* Interrupts: the distributor and redistributor of a GICv3, timers, SGIs, priorities, masks and exception levels. */
#include "tmk.h"

/* The registers, where QEMU's machine virt has them: RAM must end below. */
#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define SGI_BASE (GICR + 0x10000)

enum {
    GICD_CTLR = 0x0,
    GICD_TYPER = 0x4,
    GICD_IROUTER = 0x6000,
    GICR_TYPER = 0x8,
    GICR_WAKER = 0x14,
    PIDR2 = 0xffe8,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ICFGR = 0xc00,
};

#define ICC_PMR S3_0_C4_C6_0
#define ICC_IAR0 S3_0_C12_C8_0
#define ICC_EOIR0 S3_0_C12_C8_1
#define ICC_AP1R0 S3_0_C12_C9_0
#define ICC_DIR S3_0_C12_C11_1
#define ICC_RPR S3_0_C12_C11_3
#define ICC_SGI1R S3_0_C12_C11_5
#define ICC_SGI0R S3_0_C12_C11_7
#define ICC_IAR1 S3_0_C12_C12_0
#define ICC_EOIR1 S3_0_C12_C12_1
#define ICC_HPPIR1 S3_0_C12_C12_2
#define ICC_BPR1 S3_0_C12_C12_3
#define ICC_CTLR S3_0_C12_C12_4
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define READ_(name) tmk_sysreg_read(name)
#define WRITE_(name, value) tmk_sysreg_write(name, value)
#define READ(name) READ_(name)
#define WRITE(name, value) WRITE_(name, value)

enum { NONE = 1023, VIRTUAL_TIMER = 27, PHYSICAL_TIMER = 30, SPI = 40 };
#define ISR_I (1ul << 7)
#define ISR_F (1ul << 6)

#define MAX_TAKEN 16
/* What the handler saw, in the order of its calls. */
static volatile unsigned taken, depth, deepest;
static volatile struct {
    uint64_t intid, vector, spsr, elr, running;
} log[MAX_TAKEN];
/* What a handler does between the acknowledgement and the end of an interrupt. */
static void (*volatile during)(uint64_t intid);

void __attribute__((used)) take(uint64_t vector)
{
    bool fiq = (vector & 0x180) == 0x100;
    tmk_assert((vector & 0x180) == 0x80 || fiq);
    uint64_t intid = fiq ? READ(ICC_IAR0) : READ(ICC_IAR1);
    unsigned n = taken++;
    tmk_assert(n < MAX_TAKEN);
    log[n].intid = intid;
    log[n].vector = vector;
    log[n].spsr = READ(spsr_el1);
    log[n].elr = READ(elr_el1);
    log[n].running = READ(ICC_RPR);
    if (++depth > deepest)
        deepest = depth;
    if (during != NULL)
        during(intid);
    depth--;
    if (intid == NONE)
        return;
    if (fiq)
        WRITE(ICC_EOIR0, intid);
    else
        WRITE(ICC_EOIR1, intid);
}

/* Saves what a call may change, and what a nested interrupt does. */
__asm__(".pushsection .text\n"
        ".balign 2048\n"
        "interrupt_vectors:\n"
        ".irp offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780\n"
        ".balign 128\n"
        "sub sp, sp, #192\n"
        "stp x0, x1, [sp]\n"
        "mov x0, #\\offset\n"
        "b handle_interrupt\n"
        ".endr\n"
        ".balign 128\n"
        ".type handle_interrupt, %function\n"
        "handle_interrupt:\n"
        "stp x2, x3, [sp, #16]\n"
        "stp x4, x5, [sp, #32]\n"
        "stp x6, x7, [sp, #48]\n"
        "stp x8, x9, [sp, #64]\n"
        "stp x10, x11, [sp, #80]\n"
        "stp x12, x13, [sp, #96]\n"
        "stp x14, x15, [sp, #112]\n"
        "stp x16, x17, [sp, #128]\n"
        "stp x18, x30, [sp, #144]\n"
        "mrs x2, elr_el1\n"
        "mrs x3, spsr_el1\n"
        "stp x2, x3, [sp, #160]\n"
        "bl take\n"
        "ldp x2, x3, [sp, #160]\n"
        "msr elr_el1, x2\n"
        "msr spsr_el1, x3\n"
        "ldp x2, x3, [sp, #16]\n"
        "ldp x4, x5, [sp, #32]\n"
        "ldp x6, x7, [sp, #48]\n"
        "ldp x8, x9, [sp, #64]\n"
        "ldp x10, x11, [sp, #80]\n"
        "ldp x12, x13, [sp, #96]\n"
        "ldp x14, x15, [sp, #112]\n"
        "ldp x16, x17, [sp, #128]\n"
        "ldp x18, x30, [sp, #144]\n"
        "ldp x0, x1, [sp]\n"
        "add sp, sp, #192\n"
        "eret\n"
        ".size handle_interrupt, . - handle_interrupt\n"
        ".popsection\n");

static void unmask(void)
{
    __asm__ volatile("msr daifclr, #3\n\tisb" : : : "memory");
}

static void mask(void)
{
    __asm__ volatile("msr daifset, #3\n\tisb" : : : "memory");
}

static void wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static void sgi(uint64_t intid)
{
    WRITE(ICC_SGI1R, intid << 24 | 1);
    __asm__ volatile("isb" : : : "memory");
}

static void set_priority(unsigned intid, uint8_t priority)
{
    tmk_write8((intid < 32 ? SGI_BASE : GICD) + IPRIORITYR + intid, priority);
}

/* Everything enabled in group 1, at one priority; PSTATE masks all. */
static void start(void)
{
    uint64_t vectors;
    __asm__("adrp %0, interrupt_vectors\n\tadd %0, %0, :lo12:interrupt_vectors" : "=r"(vectors));
    WRITE(vbar_el1, vectors);
    tmk_write32(GICD + GICD_CTLR, 3);
    tmk_write32(GICR + GICR_WAKER, 0);
    while ((tmk_read32(GICR + GICR_WAKER) & 4) != 0)
        continue;
    tmk_write32(SGI_BASE + IGROUPR, ~0u);
    for (unsigned intid = 0; intid < 32; intid++)
        set_priority(intid, 0xa0);
    tmk_write32(SGI_BASE + ISENABLER, 0xffff | 1u << VIRTUAL_TIMER | 1u << PHYSICAL_TIMER);
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN1, 1);
    __asm__ volatile("isb" : : : "memory");
}

static void expect_taken(unsigned n, uint64_t intid, uint64_t vector)
{
    tmk_assert(taken > n);
    tmk_expect_eq(log[n].intid, intid);
    tmk_expect_eq(log[n].vector, vector);
}

TMK_TEST(registers, 0)
{
    tmk_expect_eq(tmk_read32(GICD + PIDR2) >> 4 & 15, 3);
    tmk_expect_eq(tmk_read32(GICR + PIDR2) >> 4 & 15, 3);
    tmk_expect_eq(tmk_read32(GICD + GICD_CTLR), 0x50);
    unsigned lines = tmk_read32(GICD + GICD_TYPER) & 31;
    tmk_assert(lines >= 1);
    tmk_expect_eq(tmk_read64(GICR + GICR_TYPER), 1 << 4);
    tmk_expect_eq(tmk_read32(GICR + GICR_WAKER), 6);
    tmk_write32(GICR + GICR_WAKER, 0);
    tmk_expect_eq(tmk_read32(GICR + GICR_WAKER), 0);
    tmk_write32(SGI_BASE + ISENABLER, 0x0f0f);
    tmk_write32(SGI_BASE + ICENABLER, 0x0303);
    tmk_expect_eq(tmk_read32(SGI_BASE + ISENABLER), 0x0c0c);
    tmk_expect_eq(tmk_read32(SGI_BASE + ICENABLER), 0x0c0c);
    tmk_write32(SGI_BASE + IPRIORITYR + 8, 0x12345678);
    tmk_expect_eq(tmk_read32(SGI_BASE + IPRIORITYR + 8), 0x10305078);
    tmk_expect_eq(tmk_read8(SGI_BASE + IPRIORITYR + 9), 0x50);
    tmk_expect_eq(tmk_read32(SGI_BASE + ICFGR), 0xaaaaaaaau);
    tmk_write32(SGI_BASE + ICFGR, 0);
    tmk_expect_eq(tmk_read32(SGI_BASE + ICFGR), 0xaaaaaaaau);
    /* The registers of the redistributor are not those of the distributor. */
    tmk_expect_eq(tmk_read32(GICD + ISENABLER), 0);
    tmk_write32(GICD + ISENABLER + 4, 0x5);
    tmk_expect_eq(tmk_read32(GICD + ISENABLER + 4), 0x5);
    tmk_write64(GICD + GICD_IROUTER + 8 * SPI, ~0ul);
    tmk_expect_eq(tmk_read64(GICD + GICD_IROUTER + 8 * SPI), 0xff00fffffful);
    tmk_expect_eq(READ(ICC_IAR1), NONE);
    tmk_expect_eq(READ(ICC_RPR), 0xff);
}

TMK_TEST(sgi_to_itself, 0)
{
    start();
    sgi(5);
    tmk_expect_eq(taken, 0);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    tmk_expect_eq(READ(ICC_HPPIR1), 5);
    tmk_expect_eq(tmk_read32(SGI_BASE + ISPENDR), 1 << 5);
    unmask();
    tmk_expect_eq(taken, 1);
    expect_taken(0, 5, 0x280);
    tmk_expect_eq(log[0].spsr & 0x3cf, 0x305);
    tmk_expect_eq(log[0].running, 0xa0);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_expect_eq(READ(ICC_RPR), 0xff);
    sgi(7);
    expect_taken(1, 7, 0x280);
    /* Not for this PE. */
    WRITE(ICC_SGI1R, 5ul << 24 | 2);
    WRITE(ICC_SGI1R, 1ul << 40 | 5ul << 24);
    WRITE(ICC_SGI1R, 1ul << 16 | 5ul << 24 | 1);
    tmk_expect_eq(taken, 2);
}

/* The return address is that of the instruction that was not executed, exactly. */
TMK_TEST(exact_return_address, 0)
{
    start();
    sgi(1);
    uint64_t after, count = 0;
    __asm__ volatile("adr %0, 1f\n\tmsr daifclr, #2\n\t1: add %1, %1, #1\n\tadd %1, %1, #1"
                     : "=&r"(after), "+r"(count)
                     :
                     : "memory");
    expect_taken(0, 1, 0x280);
    tmk_expect_eq(log[0].elr, after);
    tmk_expect_eq(count, 2);
    mask();
    sgi(2);
    /* SP_EL0 selected, with the stack of the moment: another vector. */
    __asm__ volatile("mov x9, sp\n\tsub x10, x9, #512\n\tmsr sp_el0, x10\n\tmsr spsel, #0\n\tmsr daifclr, #2\n\t"
                     "msr daifset, #2\n\tmsr spsel, #1"
                     :
                     :
                     : "x9", "x10", "memory");
    expect_taken(1, 2, 0x080);
    tmk_expect_eq(log[1].spsr & 0x3cf, 0x344);
}

static void stop_virtual_timer(uint64_t intid)
{
    if (intid == VIRTUAL_TIMER)
        WRITE(cntv_ctl_el0, 0);
    if (intid == PHYSICAL_TIMER)
        WRITE(cntp_ctl_el0, 0);
}

TMK_TEST(virtual_timer_in_wfi, 0)
{
    start();
    during = stop_virtual_timer;
    uint64_t due = READ(cntvct_el0) + 5000;
    WRITE(cntv_cval_el0, due);
    WRITE(cntv_ctl_el0, 1);
    /* Masked: WFI ends all the same, and nothing is taken. */
    while ((READ(isr_el1) & ISR_I) == 0)
        wait();
    tmk_assert(READ(cntvct_el0) >= due);
    tmk_expect_eq(READ(cntv_ctl_el0), 5);
    tmk_expect_eq(taken, 0);
    wait();
    unmask();
    tmk_expect_eq(taken, 1);
    expect_taken(0, VIRTUAL_TIMER, 0x280);
    for (unsigned n = 2; n < 6; n++) {
        WRITE(cntv_tval_el0, 3000);
        WRITE(cntv_ctl_el0, 1);
        while (taken < n)
            wait();
    }
    tmk_expect_eq(taken, 5);
}

TMK_TEST(timers_in_a_loop, 0)
{
    start();
    during = stop_virtual_timer;
    WRITE(cntv_tval_el0, 3000);
    WRITE(cntp_tval_el0, 6000);
    WRITE(cntv_ctl_el0, 1);
    WRITE(cntp_ctl_el0, 1);
    unmask();
    volatile uint64_t turns = 0;
    while (taken < 2)
        turns++;
    tmk_assert(turns > 10);
    expect_taken(0, VIRTUAL_TIMER, 0x280);
    expect_taken(1, PHYSICAL_TIMER, 0x280);
    tmk_log("%lu turns", turns);
}

/* The line of a timer is a level: an interrupt that is ended without a change of the timer comes again. */
TMK_TEST(timer_is_level, 0)
{
    start();
    WRITE(cntv_cval_el0, 0);
    WRITE(cntv_ctl_el0, 1);
    tmk_expect_eq(READ(ICC_IAR1), VIRTUAL_TIMER);
    tmk_expect_eq(tmk_read32(SGI_BASE + ISACTIVER), 1u << VIRTUAL_TIMER);
    tmk_expect_eq(tmk_read32(SGI_BASE + ISPENDR), 1u << VIRTUAL_TIMER);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(ICC_EOIR1, VIRTUAL_TIMER);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    tmk_write32(SGI_BASE + ICPENDR, 1u << VIRTUAL_TIMER);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    /* IMASK, a later time and the enable bit each take it back. */
    WRITE(cntv_ctl_el0, 3);
    tmk_expect_eq(READ(cntv_ctl_el0), 7);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(cntv_ctl_el0, 1);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    WRITE(cntv_cval_el0, ~0ul >> 1);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_expect_eq(READ(cntv_ctl_el0), 1);
    WRITE(cntv_tval_el0, -1ul);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    WRITE(cntv_ctl_el0, 0);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_expect_eq(READ(ICC_IAR1), NONE);
}

TMK_TEST(priorities, 0)
{
    start();
    set_priority(3, 0x40);
    set_priority(4, 0x20);
    set_priority(6, 0x40);
    sgi(2);
    sgi(6);
    sgi(4);
    sgi(3);
    unmask();
    tmk_expect_eq(taken, 4);
    /* By priority, then by INTID. */
    expect_taken(0, 4, 0x280);
    expect_taken(1, 3, 0x280);
    expect_taken(2, 6, 0x280);
    expect_taken(3, 2, 0x280);
    mask();
    /* PMR lets pass what is higher than it. */
    WRITE(ICC_PMR, 0x40);
    sgi(3);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_expect_eq(READ(ICC_HPPIR1), 3);
    tmk_expect_eq(READ(ICC_IAR1), NONE);
    WRITE(ICC_PMR, 0x48);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    WRITE(ICC_IGRPEN1, 0);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(ICC_IGRPEN1, 1);
    tmk_write32(GICD + GICD_CTLR, 1);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_write32(GICD + GICD_CTLR, 3);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    tmk_write32(SGI_BASE + ICENABLER, 1 << 3);
    tmk_expect_eq(READ(isr_el1), 0);
}

static void nest(uint64_t intid)
{
    if (intid != 8)
        return;
    sgi(9);
    sgi(10);
    unmask();
    /* 10 has a higher priority, 9 the same. */
    tmk_expect_eq(READ(ICC_AP1R0), 1ul << (0x80 >> 3));
    tmk_expect_eq(taken, 2);
    mask();
}

TMK_TEST(preemption, 0)
{
    start();
    set_priority(8, 0x80);
    set_priority(9, 0x80);
    set_priority(10, 0x78);
    during = nest;
    sgi(8);
    unmask();
    expect_taken(0, 8, 0x280);
    expect_taken(1, 10, 0x280);
    expect_taken(2, 9, 0x280);
    tmk_expect_eq(taken, 3);
    tmk_expect_eq(deepest, 2);
    tmk_expect_eq(log[1].running, 0x78);
    mask();
    /* With a binary point of 4 the lowest of the five bits no longer preempts. */
    WRITE(ICC_BPR1, 0);
    tmk_expect_eq(READ(ICC_BPR1), 3);
    WRITE(ICC_BPR1, 5);
    set_priority(10, 0x60);
    set_priority(8, 0x78);
    sgi(8);
    tmk_expect_eq(READ(ICC_IAR1), 8);
    tmk_expect_eq(READ(ICC_RPR), 0x60);
    sgi(10);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(ICC_EOIR1, 8);
    tmk_expect_eq(READ(isr_el1), ISR_I);
}

TMK_TEST(deactivation_apart, 0)
{
    start();
    WRITE(ICC_CTLR, 2);
    sgi(1);
    tmk_expect_eq(READ(ICC_IAR1), 1);
    sgi(1);
    WRITE(ICC_EOIR1, 1);
    tmk_expect_eq(READ(ICC_RPR), 0xff);
    /* Still active, so what is pending again is not signalled. */
    tmk_expect_eq(tmk_read32(SGI_BASE + ISACTIVER), 1 << 1);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(ICC_DIR, 1);
    tmk_expect_eq(tmk_read32(SGI_BASE + ISACTIVER), 0);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    tmk_write32(SGI_BASE + ISACTIVER, 1 << 1);
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_write32(SGI_BASE + ICACTIVER, 1 << 1);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    tmk_write32(SGI_BASE + ICPENDR, 1 << 1);
    tmk_expect_eq(READ(isr_el1), 0);
}

TMK_TEST(group_0_is_fiq, 0)
{
    start();
    WRITE(ICC_IGRPEN0, 1);
    tmk_write32(SGI_BASE + IGROUPR, ~(1u << 2));
    sgi(2);
    tmk_expect_eq(READ(isr_el1), 0);
    WRITE(ICC_SGI0R, 2ul << 24 | 1);
    tmk_expect_eq(READ(isr_el1), ISR_F);
    tmk_expect_eq(READ(ICC_IAR1), NONE);
    __asm__ volatile("msr daifclr, #2" : : : "memory");
    tmk_expect_eq(taken, 0);
    __asm__ volatile("msr daifclr, #1" : : : "memory");
    expect_taken(0, 2, 0x300);
    tmk_expect_eq(READ(ICC_RPR), 0xff);
}

TMK_TEST(spi, 0)
{
    start();
    tmk_write32(GICD + IGROUPR + 4, ~0u);
    set_priority(SPI, 0x50);
    tmk_write32(GICD + ISENABLER + 4, 1 << (SPI - 32));
    tmk_write64(GICD + GICD_IROUTER + 8 * SPI, 1);
    tmk_write32(GICD + ISPENDR + 4, 1 << (SPI - 32));
    /* Routed to a PE that does not exist. */
    tmk_expect_eq(READ(isr_el1), 0);
    tmk_write64(GICD + GICD_IROUTER + 8 * SPI, 0);
    tmk_expect_eq(READ(isr_el1), ISR_I);
    unmask();
    expect_taken(0, SPI, 0x280);
    /* A store to the distributor is an instruction like others: the interrupt comes right after it. */
    tmk_write32(GICD + ISPENDR + 4, 1 << (SPI - 32));
    expect_taken(1, SPI, 0x280);
    tmk_expect_eq(tmk_read32(GICD + ISPENDR + 4), 0);
}

/* From EL0, right after the exception return that lowers the mask. */
__asm__(".pushsection .text\n"
        "at_el0:\n"
        "1: add x0, x0, #1\n"
        "b 1b\n"
        ".popsection\n");
extern char at_el0[] __attribute__((visibility("hidden")));

static void leave_el0(uint64_t intid)
{
    (void)intid;
    /* Goes on after the exception return, at EL1. */
    tmk_complete(log[0].vector == 0x480 && (log[0].spsr & 0x3cf) == 0 && log[0].elr == (uint64_t)at_el0 &&
                 log[0].intid == 11 && READ(CurrentEL) == 4);
}

TMK_TEST(from_el0, 0)
{
    start();
    during = leave_el0;
    sgi(11);
    __asm__ volatile("msr elr_el1, %0\n\tmsr spsr_el1, xzr\n\teret" : : "r"(at_el0) : "memory");
    tmk_panic("the exception return went on");
}
