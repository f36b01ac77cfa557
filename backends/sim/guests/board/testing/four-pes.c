/*
 * A program for QEMU's machine `virt` with four PEs and a GICv3 with an ITS, without an operating system: what it
 * prints must be the same on every implementation of the architecture. It runs at EL1 with the MMU off.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define PES 4
#define UART 0x09000000ul
#define GICD 0x08000000ul
#define GICR(pe) (0x080a0000ul + (pe) * 0x20000ul)
#define SGI(pe) (GICR(pe) + 0x10000ul)
#define GITS 0x08080000ul
#define SPURIOUS 1023
#define VALID (1ul << 63)

#define READ(register) ({ u64 value_; asm volatile("mrs %0, " #register : "=r"(value_) : : "memory"); value_; })
#define WRITE(register, value) asm volatile("msr " #register ", %0\n isb" : : "r"((u64)(value)) : "memory")
#define ICC_PMR S3_0_C4_C6_0
#define ICC_IAR1 S3_0_C12_C12_0
#define ICC_EOIR1 S3_0_C12_C12_1
#define ICC_HPPIR1 S3_0_C12_C12_2
#define ICC_BPR1 S3_0_C12_C12_3
#define ICC_CTLR S3_0_C12_C12_4
#define ICC_SRE S3_0_C12_C12_5
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define ICC_IAR0 S3_0_C12_C8_0
#define ICC_EOIR0 S3_0_C12_C8_1
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_AP1R0 S3_0_C12_C9_0
#define ICC_RPR S3_0_C12_C11_3
#define ICC_DIR S3_0_C12_C11_1
#define ICC_SGI1R S3_0_C12_C11_5
#define ICC_ASGI1R S3_0_C12_C11_6
#define ICC_SGI0R S3_0_C12_C11_7
/* The macros above are names of registers only after they are replaced. */
#define GET(register) READ(register)
#define SET(register, value) WRITE(register, value)

/* Compilers write base registers back in some of these. */
static u32 r32(u64 at) { return *(volatile u32 *)at; }
static void w32(u64 at, u32 value) { *(volatile u32 *)at = value; }
static u64 r64(u64 at) { return *(volatile u64 *)at; }
static void w64(u64 at, u64 value) { *(volatile u64 *)at = value; }
static void w8(u64 at, u8 value) { *(volatile u8 *)at = value; }
static void barrier(void) { asm volatile("dsb sy\n isb" : : : "memory"); }

static void print(const char *text)
{
    while (*text) w32(UART, (u8)*text++);
}
static void print_hex(u64 value)
{
    char digits[20];
    int at = 19;
    digits[at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    print(digits + at);
}
static void show(const char *what, u64 value)
{
    print(what);
    print(" ");
    print_hex(value);
    print("\n");
}

static u64 hvc(u64 function, u64 first, u64 second, u64 third)
{
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = first;
    register u64 x2 asm("x2") = second;
    register u64 x3 asm("x3") = third;
    asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0;
}

/* What the other PEs are to do, and how far they are. */
static volatile u64 phase, arrived;
static volatile u64 taken[PES], last[PES];
static volatile u64 lock, atomic_lock, guarded, guarded_too, counted;
static volatile u64 event_word, woken[PES];

static u64 add(volatile u64 *at, u64 value)
{
    u64 old;
    asm volatile("ldaddal %2, %0, [%1]" : "=r"(old) : "r"(at), "r"(value) : "memory");
    return old;
}
/* A lock by exclusives that waits in WFE, as operating systems have it. */
static void take_lock(void)
{
    u64 value, failed;
    asm volatile("sevl\n1: wfe\n2: ldaxr %0, [%2]\n cbnz %0, 1b\n stxr %w1, %3, [%2]\n cbnz %w1, 2b"
                 : "=&r"(value), "=&r"(failed) : "r"(&lock), "r"(1ul) : "memory");
}
static void release_lock(void) { asm volatile("stlr xzr, [%0]" : : "r"(&lock) : "memory"); }
static void take_atomic_lock(void)
{
    u64 old;
    do asm volatile("swpa %2, %0, [%1]" : "=r"(old) : "r"(&atomic_lock), "r"(1ul) : "memory");
    while (old);
}
static void release_atomic_lock(void) { asm volatile("stlr xzr, [%0]" : : "r"(&atomic_lock) : "memory"); }

void take_irq(void)
{
    u64 intid = GET(ICC_IAR1);
    u64 pe = GET(MPIDR_EL1) & 0xff;
    if (intid == 27) SET(CNTV_CTL_EL0, 0);
    if (intid != SPURIOUS) SET(ICC_EOIR1, intid);
    last[pe] = intid;
    taken[pe]++;
}

static void start_cpu_interface(u64 pe)
{
    SET(ICC_SRE, 7);
    w32(GICR(pe) + 0x14, 0);
    while (r32(GICR(pe) + 0x14) & 4);
    w32(SGI(pe) + 0x80, ~0u);
    for (u32 n = 0; n < 32; n++) w8(SGI(pe) + 0x400 + n, 0xa0);
    w32(SGI(pe) + 0x100, 0xffff | 1u << 27);
    SET(ICC_PMR, 0xf0);
    SET(ICC_BPR1, 0);
    SET(ICC_CTLR, 0);
    SET(ICC_IGRPEN1, 1);
    barrier();
}

static void meet(u64 pe)
{
    u64 mine = add(&arrived, 1) / PES;
    while (arrived < (mine + 1) * PES);
    (void)pe;
}

static void contend(void)
{
    for (u32 n = 0; n < 500; n++) {
        take_lock();
        u64 value = guarded;
        for (volatile u32 wait = 0; wait < n % 7; wait++);
        guarded = value + 1;
        release_lock();
        take_atomic_lock();
        value = guarded_too;
        for (volatile u32 wait = 0; wait < n % 5; wait++);
        guarded_too = value + 1;
        release_atomic_lock();
        add(&counted, 1);
    }
}

static void wait_for(volatile u64 *count, u64 value)
{
    while (*count < value) asm volatile("wfi\n msr daifclr, #2\n isb\n msr daifset, #2" : : : "memory");
}

/* What each PE does in every phase. */
static void work(u64 pe)
{
    start_cpu_interface(pe);
    meet(pe);
    contend();
    meet(pe);
    /* Its own timer, while interrupts are masked. */
    SET(CNTV_TVAL_EL0, 20000 * (pe + 1));
    SET(CNTV_CTL_EL0, 1);
    wait_for(&taken[pe], 1);
    meet(pe);
    if (pe != 0) {
        wait_for(&taken[pe], 3);
        meet(pe);
        while (event_word == 0) asm volatile("wfe");
        woken[pe] = 1;
        meet(pe);
    }
}

extern void secondary_start(void);
void secondary(u64 context)
{
    u64 pe = GET(MPIDR_EL1) & 0xff;
    if (context != 0xabc0 + pe) print("wrong context\n");
    work(pe);
    if (pe == 3) for (;;) asm volatile("wfi");
    hvc(0x84000002, 0, 0, 0);
    print("CPU_OFF returned\n");
}

static void spi_pending(u32 intid) { w32(GICD + 0x200 + intid / 32 * 4, 1u << intid % 32); }

static void try_priorities(void)
{
    /* SPIs 40 to 43 for this PE, of group 1, edges. */
    for (u32 intid = 40; intid < 44; intid++) {
        w64(GICD + 0x6000 + 8 * intid, 0);
        w8(GICD + 0x400 + intid, 0x10 * (12 - (intid - 40) * 2));
    }
    w32(GICD + 0x84, ~0u);
    w32(GICD + 0xc08, 0xaaaaaaaa);
    w32(GICD + 0x104, 0xf00);
    barrier();
    show("none pending", GET(ICC_HPPIR1));
    spi_pending(40);
    spi_pending(41);
    show("highest", GET(ICC_HPPIR1));
    show("ISR", GET(ISR_EL1));
    u64 first = GET(ICC_IAR1);
    show("acknowledged", first);
    show("running", GET(ICC_RPR));
    show("active priorities", GET(ICC_AP1R0));
    show("lower waits", GET(ICC_IAR1));
    spi_pending(43);
    show("preempts", GET(ICC_IAR1));
    show("running", GET(ICC_RPR));
    show("active", r32(GICD + 0x304));
    show("pending", r32(GICD + 0x204));
    SET(ICC_EOIR1, 43);
    show("running", GET(ICC_RPR));
    SET(ICC_EOIR1, first);
    show("next", GET(ICC_IAR1));
    SET(ICC_EOIR1, 40);
    show("idle", GET(ICC_RPR));
    /* Masked by PMR, and by a binary point. */
    spi_pending(40);
    SET(ICC_PMR, 0xc0);
    show("masked", GET(ICC_IAR1));
    show("highest though masked", GET(ICC_HPPIR1));
    SET(ICC_PMR, 0xf0);
    SET(ICC_BPR1, 7);
    show("binary point", GET(ICC_BPR1));
    u64 coarse = GET(ICC_IAR1);
    spi_pending(43);
    show("no preemption", GET(ICC_IAR1));
    SET(ICC_EOIR1, coarse);
    show("then", GET(ICC_IAR1));
    SET(ICC_EOIR1, 43);
    SET(ICC_BPR1, 0);
    show("least binary point", GET(ICC_BPR1));
    /* EOImode: deactivation apart. */
    SET(ICC_CTLR, 2);
    spi_pending(41);
    u64 apart = GET(ICC_IAR1);
    SET(ICC_EOIR1, apart);
    show("dropped", GET(ICC_RPR));
    show("still active", r32(GICD + 0x304));
    spi_pending(41);
    show("active and pending", GET(ICC_IAR1));
    SET(ICC_DIR, apart);
    show("again", GET(ICC_IAR1));
    SET(ICC_EOIR1, apart);
    SET(ICC_DIR, apart);
    SET(ICC_CTLR, 0);
    show("active", r32(GICD + 0x304));
    /* Disabled, and of group 0. */
    w32(GICD + 0x184, 1 << 10);
    spi_pending(42);
    show("disabled", GET(ICC_HPPIR1));
    w32(GICD + 0x104, 1 << 10);
    show("enabled", GET(ICC_HPPIR1));
    w32(GICD + 0x84, ~(1u << 10));
    show("group 0", GET(ICC_IAR1));
    SET(ICC_IGRPEN0, 1);
    show("not forwarded", GET(ISR_EL1));
    w32(GICD, 3);
    barrier();
    show("ISR", GET(ISR_EL1));
    u64 group0 = GET(ICC_IAR0);
    show("acknowledged", group0);
    SET(ICC_EOIR0, group0);
    SET(ICC_IGRPEN0, 0);
    w32(GICD, 2);
    w32(GICD + 0x84, ~0u);
    /* Software sets and clears what is active and pending. */
    w32(GICD + 0x304, 0x300);
    w32(GICD + 0x384, 0x100);
    spi_pending(40);
    w32(GICD + 0x284, 0x200);
    show("set active", r32(GICD + 0x304));
    show("pending", r32(GICD + 0x204));
    w32(GICD + 0x384, ~0u);
    w32(GICD + 0x284, ~0u);
    show("no group", (w32(GICD, 0), spi_pending(40), barrier(), GET(ICC_HPPIR1)));
    w32(GICD, 2);
    w32(GICD + 0x284, ~0u);
    /* SGIs to itself: by list, of the wrong group, to all others, by ASGI1R. */
    SET(ICC_SGI1R, 5ul << 24 | 1);
    barrier();
    show("SGI", GET(ICC_IAR1));
    SET(ICC_EOIR1, 5);
    SET(ICC_SGI0R, 6ul << 24 | 1);
    barrier();
    show("SGI of group 0", r32(SGI(0) + 0x200));
    w32(SGI(0) + 0x80, ~(1u << 6));
    SET(ICC_SGI1R, 6ul << 24 | 1);
    barrier();
    show("SGI of group 1", r32(SGI(0) + 0x200));
    SET(ICC_ASGI1R, 6ul << 24 | 1);
    barrier();
    show("SGI of the other state", r32(SGI(0) + 0x200));
    w32(SGI(0) + 0x280, ~0u);
    w32(SGI(0) + 0x80, ~0u);
}

/* Registers as they read after they were written, in a sum that depends on each. */
static void try_registers(void)
{
    static const struct { u32 from, to; u32 mask; } ranges[] = {
        {0x84, 0xa4, ~0u}, {0x104, 0x124, ~0u}, {0x420, 0x520, 0xf8f8f8f8}, {0xc08, 0xc48, ~0u},
        {0x6100, 0x6900, 0x00ffffff},
    };
    u32 random = 12345;
    for (u32 n = 0; n < 5; n++) {
        u64 sum = 0;
        for (u32 at = ranges[n].from; at < ranges[n].to; at += 4) {
            random = random * 1664525 + 1013904223;
            /* The low bit of each ICFGR field is reserved; so are bits 63:40 of IROUTER. */
            u32 mask = n == 3 ? 0xaaaaaaaa : n == 4 && at % 8 ? 0xff : ranges[n].mask;
            w32(GICD + at, random & mask);
            sum = sum * 31 + (r32(GICD + at) & mask);
        }
        show("written", sum);
        for (u32 at = ranges[n].from; at < ranges[n].to; at += 4) w32(GICD + at, 0);
    }
    w32(GICD + 0x184, ~0u);
    for (u32 at = 0x184; at < 0x1a4; at += 4) w32(GICD + at, ~0u);
    show("GICD_CTLR", r32(GICD) & 0x53);
    show("LPIs", r32(GICD + 4) >> 17 & 1);
    show("GICD_PIDR2", r32(GICD + 0xffe8) >> 4 & 15);
    for (u32 pe = 0; pe < PES; pe++) show("GICR_TYPER", r64(GICR(pe) + 8) & ~0x30000e0ul);
    show("private in the distributor", r32(GICD + 0x80) | r32(GICD + 0x100) | r32(GICD + 0x400) | r32(GICD + 0xc00));
    show("ICFGR0", r32(SGI(0) + 0xc00));
}

static u8 properties[65536] __attribute__((aligned(65536)));
static u8 pending_tables[2][65536] __attribute__((aligned(65536)));
static u8 devices[65536] __attribute__((aligned(65536))), collections[65536] __attribute__((aligned(65536)));
static u8 itt[4096] __attribute__((aligned(256)));
static u64 queue[8192] __attribute__((aligned(65536)));
static u64 writer;

static void command(u64 first, u64 second, u64 third)
{
    u64 *at = queue + writer / 8;
    at[0] = first, at[1] = second, at[2] = third, at[3] = 0;
    writer += 32;
    barrier();
    w64(GITS + 0x88, writer);
    while (r64(GITS + 0x90) != writer);
    barrier();
}
static void lpi(const char *what)
{
    u64 intid = GET(ICC_IAR1);
    if (intid != SPURIOUS) SET(ICC_EOIR1, intid);
    show(what, intid);
}

static void set_base(u64 at, u64 address, u64 pages)
{
    w64(at, VALID | (r64(at) & 7ul << 56) | address | 2ul << 8 | (pages - 1));
}

static void try_lpis(void)
{
    for (u32 n = 0; n < 65536; n++) properties[n] = 0xa1;
    for (u32 pe = 0; pe < 2; pe++) {
        w64(GICR(pe) + 0x70, (u64)properties | 15);
        w64(GICR(pe) + 0x78, (u64)pending_tables[pe] | 1ul << 62);
        w32(GICR(pe), 1);
    }
    for (u32 n = 0; n < 8; n++) {
        u64 at = GITS + 0x100 + 8 * n, type = r64(at) >> 56 & 7;
        if (type == 1) set_base(at, (u64)devices, 1);
        if (type == 4) set_base(at, (u64)collections, 1);
    }
    w64(GITS + 0x80, VALID | (u64)queue | (65536 / 4096 - 1));
    w64(GITS + 0x88, 0);
    w32(GITS, 1);
    u64 table = VALID | (u64)itt;
    command(0x08 | 7ul << 32, 4, table);
    command(0x09, 0, VALID | 0ul << 16 | 0);
    command(0x09, 0, VALID | 1ul << 16 | 1);
    for (u64 n = 0; n < 4; n++) command(0x0a | 7ul << 32, n | (8192 + n) << 32, 0);
    command(0x0c | 7ul << 32, 0, 0);
    command(0x0d, 0, 0);
    command(0x03 | 7ul << 32, 2, 0);
    command(0x05, 0, 0);
    show("highest", GET(ICC_HPPIR1));
    lpi("LPI");
    lpi("acknowledged for good");
    command(0x03 | 7ul << 32, 9, 0);
    command(0x03 | 8ul << 32, 0, 0);
    lpi("not mapped");
    properties[1] = 0xa0;
    command(0x0c | 7ul << 32, 1, 0);
    command(0x03 | 7ul << 32, 1, 0);
    lpi("disabled");
    properties[1] = 0x41;
    command(0x0c | 7ul << 32, 1, 0);
    command(0x03 | 7ul << 32, 3, 0);
    lpi("by priority");
    lpi("then");
    command(0x03 | 7ul << 32, 0, 0);
    command(0x04 | 7ul << 32, 0, 0);
    lpi("cleared");
    command(0x03 | 7ul << 32, 0, 0);
    command(0x01 | 7ul << 32, 0, 1);
    lpi("moved away");
    command(0x01 | 7ul << 32, 0, 0);
    lpi("moved back");
    command(0x03 | 7ul << 32, 3, 0);
    command(0x0f | 7ul << 32, 3, 0);
    lpi("discarded");
    command(0x03 | 7ul << 32, 3, 0);
    lpi("not mapped any more");
    command(0x0b | 7ul << 32, 5, 0);
    command(0x08 | 7ul << 32, 0, 0);
    command(0x03 | 7ul << 32, 0, 0);
    lpi("no device");
}

void primary(void)
{
    try_registers();
    w32(GICD, 2);
    start_cpu_interface(0);
    try_priorities();
    show("PSCI", hvc(0x84000000, 0, 0, 0));
    show("already on", hvc(0xc4000003, 0, (u64)secondary_start, 0));
    show("no such PE", hvc(0xc4000003, 9, (u64)secondary_start, 0));
    show("off", hvc(0xc4000004, 2, 0, 0));
    for (u64 pe = 1; pe < PES; pe++) show("on", hvc(0xc4000003, pe, (u64)secondary_start, 0xabc0 + pe));
    work(0);
    show("on", hvc(0xc4000004, 2, 0, 0));
    show("guarded", guarded);
    show("guarded too", guarded_too);
    show("counted", counted);
    for (u32 pe = 0; pe < PES; pe++) show("interrupts", taken[pe] << 32 | last[pe]);
    /* An SGI to a list, an SPI for PE 2, and then an SGI to all others. */
    SET(ICC_SGI1R, 3ul << 24 | 0xe);
    while (taken[1] < 2 || taken[2] < 2 || taken[3] < 2);
    for (u32 pe = 0; pe < PES; pe++) show("interrupts", taken[pe] << 32 | last[pe]);
    w32(GICD + 0x84, ~0u);
    w32(GICD + 0xc08, 0xaaaaaaaa);
    w64(GICD + 0x6000 + 8 * 45, 2);
    w8(GICD + 0x400 + 45, 0x80);
    w32(GICD + 0x104, 1u << 13);
    spi_pending(45);
    while (taken[2] < 3);
    show("SPI", last[2]);
    w64(GICD + 0x6000 + 8 * 45, 3);
    spi_pending(45);
    while (taken[3] < 3);
    show("SPI", last[3]);
    SET(ICC_SGI1R, 4ul << 24 | 1ul << 40);
    while (taken[1] < 3);
    meet(0);
    show("last", last[1]);
    show("pending here", r32(SGI(0) + 0x200));
    event_word = 1;
    asm volatile("dsb sy\n sev");
    meet(0);
    show("woken", woken[1] + woken[2] + woken[3]);
    while (hvc(0xc4000004, 1, 0, 0) == 0 || hvc(0xc4000004, 2, 0, 0) == 0);
    show("off", hvc(0xc4000004, 2, 0, 0));
    show("on", hvc(0xc4000004, 3, 0, 0));
    try_lpis();
    hvc(0x84000008, 0, 0, 0);
}

asm(".section .text.start, \"ax\"\n"
    ".global _start\n"
    "_start:\n"
    " ldr x1, =stacks + 4096\n mov sp, x1\n ldr x1, =vectors\n msr vbar_el1, x1\n isb\n bl primary\n b .\n"
    ".global secondary_start\n"
    "secondary_start:\n"
    " mrs x2, mpidr_el1\n and x2, x2, #0xff\n add x2, x2, #1\n ldr x1, =stacks\n add x1, x1, x2, lsl #12\n mov sp, x1\n"
    " ldr x1, =vectors\n msr vbar_el1, x1\n isb\n bl secondary\n b .\n"
    ".balign 2048\nvectors:\n .rept 5\n b fault\n .balign 128\n .endr\n"
    " stp x0, x1, [sp, #-176]!\n stp x2, x3, [sp, #16]\n stp x4, x5, [sp, #32]\n stp x6, x7, [sp, #48]\n"
    " stp x8, x9, [sp, #64]\n stp x10, x11, [sp, #80]\n stp x12, x13, [sp, #96]\n stp x14, x15, [sp, #112]\n"
    " stp x16, x17, [sp, #128]\n stp x18, x30, [sp, #144]\n bl take_irq\n"
    " b back\n .balign 128\n .rept 10\n b fault\n .balign 128\n .endr\n"
    "back:\n ldp x2, x3, [sp, #16]\n ldp x4, x5, [sp, #32]\n ldp x6, x7, [sp, #48]\n"
    " ldp x8, x9, [sp, #64]\n ldp x10, x11, [sp, #80]\n ldp x12, x13, [sp, #96]\n ldp x14, x15, [sp, #112]\n"
    " ldp x16, x17, [sp, #128]\n ldp x18, x30, [sp, #144]\n ldp x0, x1, [sp], #176\n eret\n"
    ".bss\n.balign 4096\n.global stacks\nstacks: .space 16384\n.text\n");

void fault(void)
{
    show("fault: ESR", GET(ESR_EL1));
    show("ELR", GET(ELR_EL1));
    show("FAR", GET(FAR_EL1));
    hvc(0x84000008, 0, 0, 0);
}
