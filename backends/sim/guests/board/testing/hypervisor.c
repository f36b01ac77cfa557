/*
 * A program for EL2 of QEMU's machine `virt`, without an operating system: what it prints must be the same on every
 * implementation of the architecture. It has probes run at EL1 and EL0, in virtual machines of its own.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

#define UART 0x09000000ul
#define GICD 0x08000000ul
#define SGI 0x080b0000ul
#define READ(register) ({ u64 value_; asm volatile("mrs %0, " #register : "=r"(value_) : : "memory"); value_; })
#define WRITE(register, value) ({ asm volatile("msr " #register ", %0\n isb" : : "r"((u64)(value)) : "memory"); })
/* The macros above are names of registers only after they are replaced. */
#define GET(register) READ(register)
#define SET(register, value) WRITE(register, value)
#define ICC_PMR S3_0_C4_C6_0
#define ICC_IAR1 S3_0_C12_C12_0
#define ICC_EOIR1 S3_0_C12_C12_1
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define ICC_SRE_EL2 S3_4_C12_C9_5
#define ICH_AP1R0 S3_4_C12_C9_0
#define ICH_HCR S3_4_C12_C11_0
#define ICH_MISR S3_4_C12_C11_2
#define ICH_EISR S3_4_C12_C11_3
#define ICH_ELRSR S3_4_C12_C11_5
#define ICH_VMCR S3_4_C12_C11_7
#define ICH_LR0 S3_4_C12_C12_0
#define ICH_LR1 S3_4_C12_C12_1
#define ICH_LR2 S3_4_C12_C12_2
#define ICH_LR3 S3_4_C12_C12_3
#define CNTHV_CTL S3_4_C14_C3_1
#define CNTHV_CVAL S3_4_C14_C3_2

static void w32(u64 at, u32 value) { asm volatile("str %w0, [%1]" : : "r"(value), "r"(at) : "memory"); }
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
    print(" ");
    print(digits + at);
}

/* What an exception to EL2 found. `vector` is the number of the entry; 16 and more are those of EL1. */
struct report { u64 x0, x1, vector, esr, elr, spsr, far, hpfar; };
struct report seen;
u64 resume_at, resume_sp;
void enter(u64 elr, u64 spsr, u64 x0, u64 x1);
extern char vectors2[], vectors1[];

asm(".pushsection .text\n"
    ".global enter\n"
    "enter: stp x29, x30, [sp, #-96]!\n stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"
    " stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n"
    " adrp x16, resume_sp\n mov x17, sp\n str x17, [x16, #:lo12:resume_sp]\n"
    " msr elr_el2, x0\n msr spsr_el2, x1\n mov x0, x2\n mov x1, x3\n eret\n"
    "caught: adrp x16, seen\n add x16, x16, #:lo12:seen\n stp x0, x1, [x16]\n mrs x0, esr_el2\n stp x17, x0, [x16, #16]\n"
    " mrs x0, elr_el2\n mrs x1, spsr_el2\n stp x0, x1, [x16, #32]\n mrs x0, far_el2\n mrs x1, hpfar_el2\n"
    " stp x0, x1, [x16, #48]\n"
    " msr spsel, #1\n adrp x16, resume_sp\n ldr x17, [x16, #:lo12:resume_sp]\n mov sp, x17\n"
    " ldp x19, x20, [sp, #16]\n ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n ldp x25, x26, [sp, #64]\n"
    " ldp x27, x28, [sp, #80]\n ldp x29, x30, [sp], #96\n ret\n"
    ".balign 2048\n.global vectors2\nvectors2:\n"
    ".set n, 0\n.rept 16\n.balign 128\n mov x17, #n\n b caught\n.set n, n + 1\n.endr\n"
    ".balign 2048\n.global vectors1\nvectors1:\n"
    ".set n, 0\n.rept 16\n.balign 128\n hvc #0x100 + n\n.set n, n + 1\n.endr\n"
    ".global _start\n_start: adrp x1, stack_top\n add x1, x1, #:lo12:stack_top\n mov sp, x1\n b main\n"
    ".popsection\n");
char stack[16384] __attribute__((aligned(16)));
asm(".global stack_top\n.set stack_top, stack + 16384");

#define EL0 0x3c0ul
#define EL1 0x3c5ul
#define EL1_OPEN 0x345ul
#define EL2 0x3c9ul
#define HVC(number) (0xd4000002u | (number) << 5)
#define NOP 0xd503201fu
#define RW (1ul << 31)
#define API_APK (3ul << 40)
#define E2H (1ul << 34)
#define TGE (1ul << 27)
#define IMO (1ul << 4)
#define VM 1ul

static u32 probe[16] __attribute__((aligned(4096)));
static u64 page[512] __attribute__((aligned(4096)));
static u64 spare[512] __attribute__((aligned(4096)));
static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));
static u64 own1[512] __attribute__((aligned(4096)));

static void put(int at, u32 word)
{
    probe[at] = word;
    asm volatile("dc cvau, %0\n dsb sy\n ic ivau, %0\n dsb sy\n isb" : : "r"(&probe[at]) : "memory");
}
/* Runs up to three instructions, which an HVC or an exception ends. */
static void run3(u64 spsr, u32 first, u32 second, u32 third, u64 x0, u64 x1)
{
    put(0, first);
    put(1, second);
    put(2, third);
    put(3, HVC(0x77));
    enter((u64)probe, spsr, x0, x1);
}
static void run(u64 spsr, u32 word, u64 x0) { run3(spsr, word, NOP, NOP, x0, 0); }

/*
 * Bits 31:0 of ESR, and where the exception was taken to and came from. The level of a fault of stage 2 in a walk is not
 * shown: QEMU 7.2 has that of stage 1 there.
 */
static void tell(const char *what)
{
    print(what);
    u64 vector = seen.vector;
    if ((seen.esr >> 26 == 0x24 || seen.esr >> 26 == 0x20) && (seen.esr & 0x80)) seen.esr &= ~3ul;
    if (vector & 3) {
        print(" EL2 vector");
        print_hex(vector);
        print(" from");
        print_hex(seen.elr - (u64)probe);
        print_hex(seen.spsr & 0x3ff);
    } else if (seen.esr >> 26 == 0x16 && (seen.esr & 0xffff) == 0x77) {
        print(" ok");
        print_hex(seen.x0);
    } else if (seen.esr >> 26 == 0x16 && (seen.esr & 0xff00) == 0x100) {
        print(" EL1 vector");
        print_hex(seen.esr & 15);
        print(" ESR");
        print_hex(GET(esr_el1));
        print(" from");
        print_hex(GET(elr_el1) - (u64)probe);
        print_hex(GET(spsr_el1) & 0x3ff);
    } else {
        print(" EL2 vector");
        print_hex(vector);
        print(" ESR");
        print_hex(seen.esr);
        print(" from");
        print_hex(seen.elr - (u64)probe);
        print_hex(seen.spsr & 0x3ff);
    }
    print("\n");
}
static void tell_address(void)
{
    print("  FAR");
    print_hex(seen.far & 0xfff);
    print(" HPFAR");
    print_hex(seen.hpfar == (u64)page >> 8 ? 1 : seen.hpfar == (u64)spare >> 8 ? 2 : 0);
    print("\n");
}
static void hcr(u64 bits) { SET(hcr_el2, RW | API_APK | bits); }

struct word { const char *name; u32 word; };
/* Each is executed at EL1 under each bit of HCR_EL2 that is a trap. */
static const struct word trapped[] = {
    { "msr sctlr_el1", 0xd5181000 | 1 }, { "mrs sctlr_el1", 0xd5381000 }, { "msr ttbr0_el1", 0xd5182001 },
    { "mrs ttbr1_el1", 0xd5382020 }, { "msr tcr_el1", 0xd5182041 }, { "mrs esr_el1", 0xd5385200 },
    { "msr far_el1", 0xd5186001 }, { "mrs afsr0_el1", 0xd5385100 }, { "msr afsr1_el1", 0xd5185121 },
    { "mrs mair_el1", 0xd538a200 }, { "msr amair_el1", 0xd518a301 }, { "mrs contextidr_el1", 0xd538d020 },
    { "mrs vbar_el1", 0xd538c000 }, { "mrs tpidr_el1", 0xd538d080 }, { "mrs par_el1", 0xd5387400 },
    { "mrs revidr_el1", 0xd53800c0 }, { "mrs aidr_el1", 0xd53900e0 }, { "mrs ctr_el0", 0xd53b0020 },
    { "mrs clidr_el1", 0xd5390020 }, { "mrs ccsidr_el1", 0xd5390000 }, { "mrs csselr_el1", 0xd53a0000 },
    { "msr csselr_el1", 0xd51a0001 }, { "mrs dczid_el0", 0xd53b00e0 }, { "mrs midr_el1", 0xd5380000 },
    { "mrs id_aa64pfr0_el1", 0xd5380400 }, { "mrs id_aa64mmfr1_el1", 0xd5380720 }, { "mrs id_reserved", 0xd53807e0 },
    { "mrs actlr_el1", 0xd5381020 }, { "dc isw", 0xd5087641 }, { "dc csw", 0xd5087a41 }, { "dc ivac", 0xd5087621 },
    { "dc cvac", 0xd50b7a21 }, { "dc civac", 0xd50b7e21 }, { "dc cvau", 0xd50b7b21 }, { "ic ivau", 0xd50b7521 },
    { "ic iallu", 0xd508751f }, { "ic ialluis", 0xd508711f }, { "tlbi vmalle1", 0xd508871f },
    { "tlbi vae1is", 0xd5088321 }, { "tlbi vaae1", 0xd5088761 }, { "mrs apiakeylo_el1", 0xd5382100 },
    { "msr apgakeyhi_el1", 0xd5182321 }, { "mrs cntkctl_el1", 0xd538e100 }, { "mrs mdscr_el1", 0xd5300240 },
    { "mrs oslsr_el1", 0xd5301180 }, { "smc", 0xd4000003 }, { "mrs cpacr_el1", 0xd5381040 },
};
/* TACR to TVM, TRVM, TID1 to TSC, and APK. */
static const u8 trap_bits[] = { 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 30, 40 };

static void trap_table(void)
{
    print("# traps\n");
    for (u32 n = 0; n < sizeof(trapped) / sizeof(*trapped); n++) {
        print(trapped[n].name);
        for (u32 bit = 0; bit < sizeof(trap_bits); bit++) {
            u64 value = 1ul << trap_bits[bit];
            SET(sctlr_el1, 0x30c50838);
            SET(hcr_el2, RW | (trap_bits[bit] == 40 ? 1ul << 41 : API_APK | value));
            /* An SMC that is not trapped is the firmware's. */
            if (trapped[n].word == 0xd4000003 && trap_bits[bit] != 19) continue;
            run(EL1, trapped[n].word, 0);
            if (seen.esr >> 26 == 0x16) continue;
            print(" bit");
            print_hex(trap_bits[bit]);
            print_hex(seen.esr);
            print_hex(seen.elr - (u64)probe);
        }
        print("\n");
    }
    hcr(0);
    SET(sctlr_el1, 0x30c50838);
}

static void other_traps(void)
{
    print("# other traps\n");
    hcr(1ul << 13), run(EL1, 0xd503207f, 0), tell("TWI");
    hcr(1ul << 29), run(EL2, HVC(5), 0), tell("HCD");
    hcr(0), run(EL1, HVC(5), 0), tell("HVC");
    run(EL1 - 1, HVC(5), 0), tell("HVC of EL1t");
    run(EL0, HVC(5), 0), tell("HVC of EL0");
    run(EL2, HVC(5), 0), tell("HVC of EL2");
    run(EL0, 0xd4000001, 0), tell("SVC");
    run(EL2, 0xd4000001 | 3 << 5, 0), tell("SVC of EL2");
    run(EL1, 0xd4200000 | 9 << 5, 0), tell("BRK");
    run(EL1, 0, 0), tell("UDF");
    run(EL1, 0xd53c1100, 0), tell("HCR of EL1");
    SET(mdcr_el2, 1ul << 9 | 6), run(EL1, 0xd5300240, 0), tell("TDA");
    SET(mdcr_el2, 1ul << 10 | 6), run(EL1, 0xd5301180, 0), tell("TDOSA");
    SET(mdcr_el2, 1ul << 8 | 6), run(EL1, 0xd4200000 | 9 << 5, 0), tell("TDE");
    SET(mdcr_el2, 6);
    SET(cptr_el2, 0x33ff | 1ul << 31), run(EL1, 0xd5381040, 0), tell("TCPAC");
    SET(cpacr_el1, 3ul << 20);
    SET(cptr_el2, 0x33ff | 1ul << 10), run(EL1, 0x1e602800, 0), tell("TFP");
    SET(cptr_el2, 0x33ff), run(EL1, 0x1e602800, 0), tell("FADD");
    SET(cpacr_el1, 0), run(EL1, 0x1e602800, 0), tell("FPEN");
    SET(cnthctl_el2, 2), run(EL1, 0xd53be020, 0), tell("EL1PCTEN");
    SET(cnthctl_el2, 1), run(EL1, 0xd53be220, 0), tell("EL1PCEN");
    SET(cnthctl_el2, 3);
    run(0x3cd, NOP, 0), tell("return to EL3");
    run(EL1 | 1ul << 20, NOP, 0), tell("return with IL");
    hcr(TGE), run(EL1, NOP, 0), tell("return to EL1 with TGE");
    run(EL0, 0xd4000001 | 3 << 5, 0), tell("SVC with TGE");
    run(EL0, 0xd4200000 | 9 << 5, 0), tell("BRK with TGE");
    run(EL0, 0, 0), tell("UDF with TGE");
    run(EL0, 0x1e602800, 0), tell("FADD with TGE");
    hcr(0), run(EL0, 0x1e602800, 0), tell("FADD without");
    SET(vpidr_el2, 0x1234), run(EL1, 0xd5380000, 0), tell("VPIDR");
    SET(vmpidr_el2, 0x80000007), run(EL1, 0xd53800a0, 0), tell("VMPIDR");
    SET(cptr_el2, 0x33ff);
}

#define S2_ALL (3ul << 6 | 15ul << 2 | 1ul << 10 | 3ul << 8)
/* Stage 2: all memory as it is, in blocks of 2 MiB but for that of the program, which has pages. */
static void stage2(void)
{
    u64 base = (u64)probe & ~0x1ffffful;
    for (u64 n = 0; n < 512; n++) level2[n] = (0x40000000ul + (n << 21)) | S2_ALL | 1;
    for (u64 n = 0; n < 512; n++) level3[n] = (base + (n << 12)) | S2_ALL | 3;
    level2[(base >> 21) & 511] = (u64)level3 | 3;
    level1[1] = (u64)level2 | 3;
    SET(vtcr_el2, 1ul << 31 | 5ul << 16 | 3ul << 12 | 1ul << 10 | 1ul << 8 | 1ul << 6 | 25);
    SET(vttbr_el2, (u64)level1 | 1ul << 48);
    hcr(VM);
    asm volatile("tlbi vmalls12e1is\n dsb sy\n isb" : : : "memory");
}
static u64 *s2(void *at) { return &level3[((u64)at >> 12) & 511]; }
static void set_s2(void *at, u64 descriptor)
{
    *s2(at) = descriptor;
    asm volatile("dsb sy\n tlbi vmalls12e1is\n dsb sy\n isb" : : : "memory");
}
#define LDR 0xf9400000u /* LDR X0, [X0] */
#define STR 0xf9000000u /* STR X0, [X0] */
static void access(const char *what, u64 descriptor)
{
    set_s2(page, descriptor);
    print(what);
    print("\n");
    run(EL1, LDR | 1 << 10, (u64)page), tell(" read"), tell_address();
    run(EL1, STR, (u64)page), tell(" write"), tell_address();
    run(EL0, LDR, (u64)page), tell(" read of EL0");
    run(EL1, 0x39400000, (u64)page + 3), tell(" byte");
    run(EL1, 0x38401c00, (u64)page + 3), tell(" byte with write-back");
    run(EL1, 0xa9400400, (u64)page), tell(" pair");
    run(EL1, 0xd61f0000, (u64)page), tell(" branch"), tell_address();
    run(EL0, 0xd61f0000, (u64)page), tell(" branch of EL0");
}

static void stage2_faults(void)
{
    print("# stage 2\n");
    page[0] = HVC(0x77) | (u64)HVC(0x77) << 32;
    u64 at = (u64)page | 3;
    stage2();
    access("everything", at | S2_ALL);
    access("nothing", 0);
    access("no access flag", at | (S2_ALL & ~(1ul << 10)));
    access("no access", at | (S2_ALL & ~(3ul << 6)));
    access("reading", at | (S2_ALL & ~(2ul << 6)));
    access("writing", at | (S2_ALL & ~(1ul << 6)));
    access("XN 1", at | S2_ALL | 1ul << 53);
    access("XN 2", at | S2_ALL | 2ul << 53);
    access("XN 3", at | S2_ALL | 3ul << 53);
    set_s2(page, at | S2_ALL);
    run(EL1, LDR, 1ul << 39), tell("beyond the input"), tell_address();
    run(EL1, LDR, 0x3000000000ul), tell("no table"), tell_address();
    print("# walks\n");
    /* Stage 1 of EL1: one block of 1 GiB for the program, from a table that stage 2 has or not. */
    for (u64 n = 0; n < 512; n++) spare[n] = (n << 30) | 1 | 1ul << 10 | 1ul << 6;
    spare[1] &= ~(1ul << 6);
    spare[2] = (u64)page | 3;
    SET(mair_el1, 0xff);
    SET(tcr_el1, 5ul << 32 | 1ul << 23 | 25);
    SET(ttbr0_el1, (u64)spare);
    SET(sctlr_el1, 0x30c50839);
    run(EL1, LDR | 1 << 10, (u64)page), tell("mapped");
    set_s2(page, 0);
    run(EL1, 0xf8400001, (u64)page - 4), tell("crossing"), tell_address();
    run(EL1, 0xf8400001, (u64)page + 4092), tell("crossing"), tell_address();
    run(EL1, 0xd50b7a20, (u64)page), tell("DC CVAC");
    set_s2(page, at | S2_ALL);
    run(EL1, LDR, 0x80000008), tell("a table that is no table");
    set_s2(page, 0);
    run(EL1, LDR, 0x80000008), tell("a table that stage 2 does not have"), tell_address();
    run(EL1, STR, 0x80000008), tell("the same for a write"), tell_address();
    set_s2(page, at | S2_ALL);
    set_s2(spare, (u64)spare | 3 | (S2_ALL & ~(1ul << 6)));
    run(EL1, NOP, 0), tell("a table that it has not for reading");
    print("  HPFAR");
    print_hex(seen.hpfar == (u64)spare >> 8);
    print("\n");
    set_s2(spare, (u64)spare | 3 | S2_ALL);
    print("# address translation\n");
    static const char *const names[] = { "S1E1R", "S1E1W", "S12E1R", "S12E1W", "S12E0R", "S12E0W" };
    static const u64 forms[] = { 0, 2ul << 6, 1ul << 6, 3ul << 6 };
    for (u32 form = 0; form < 4; form++) {
        set_s2(page, at | (S2_ALL & ~(3ul << 6)) | forms[form]);
        for (u32 n = 0; n < 6; n++) {
            u64 where = (u64)page;
            switch (n) {
            case 0: asm volatile("at s1e1r, %0\n isb" : : "r"(where)); break;
            case 1: asm volatile("at s1e1w, %0\n isb" : : "r"(where)); break;
            case 2: asm volatile("at s12e1r, %0\n isb" : : "r"(where)); break;
            case 3: asm volatile("at s12e1w, %0\n isb" : : "r"(where)); break;
            case 4: asm volatile("at s12e0r, %0\n isb" : : "r"(where)); break;
            default: asm volatile("at s12e0w, %0\n isb" : : "r"(where)); break;
            }
            u64 par = GET(par_el1);
            print(names[n]);
            if (par & 1) print(" fault"), print_hex(par & 0x37f);
            else print((par & 0xfffffffff000) == (u64)page ? " page" : " another"), print_hex(par >> 56);
            print("\n");
        }
    }
    SET(sctlr_el1, 0x30c50838);
    hcr(0);
}

static void hosts(void)
{
    print("# hosts\n");
    hcr(0);
    SET(far_el1, 0x111), SET(far_el2, 0x222);
    hcr(E2H);
    print_hex(GET(far_el1)), print_hex(GET(S3_5_C6_C0_0)), print_hex(GET(far_el2)), print("\n");
    SET(elr_el1, 0x333), SET(S3_5_C4_C0_1, 0x444);
    print_hex(GET(elr_el2)), print_hex(GET(elr_el1)), print_hex(GET(S3_5_C4_C0_1)), print("\n");
    SET(cptr_el2, 3ul << 20);
    print_hex(GET(cpacr_el1) & 3ul << 20), print("\n");
    SET(cntv_cval_el0, 0x1000), SET(S3_5_C14_C3_2, 0x2000);
    print_hex(GET(CNTHV_CVAL)), print_hex(GET(S3_5_C14_C3_2)), print_hex(GET(cntv_cval_el0)), print("\n");
    SET(cntvoff_el2, 1ul << 40);
    print(GET(cntvct_el0) >> 39 ? "offset\n" : "no offset\n");
    run(EL1, 0xd53be040, 0);
    print(seen.x0 >> 63 ? "offset\n" : "no offset\n");
    SET(cntvoff_el2, 0);
    /* EL0 with a regime of its own, blocks of 1 GiB for it, and the upper half for EL2. */
    for (u64 n = 0; n < 512; n++) own1[n] = (n << 30) | 1 | 1ul << 10;
    SET(mair_el2, 0xff);
    SET(tcr_el2, 5ul << 32 | 2ul << 30 | 25ul << 16 | 25);
    SET(ttbr0_el2, (u64)own1);
    SET(ttbr1_el1, (u64)own1);
    hcr(E2H | TGE);
    asm volatile("tlbi alle2\n dsb sy\n isb");
    SET(sctlr_el1, 0x30c50839);
    run(EL0, LDR | 1 << 10, (u64)page), tell("EL0 without access");
    /* The same memory for EL0, for reading: EL2 would not execute what EL0 may write. */
    own1[3] = 1ul << 30 | 1 | 1ul << 10 | 3ul << 6;
    asm volatile("dsb sy\n tlbi vmalle1\n dsb sy\n isb");
    put(0, LDR), put(1, 0xd4000001 | 5 << 5);
    enter((u64)probe + (2ul << 30), EL0, (u64)page + (2ul << 30), 0), tell("SVC of EL0");
    put(0, STR);
    enter((u64)probe + (2ul << 30), EL0, (u64)page + (2ul << 30), 0), tell("store of EL0"), tell_address();
    asm volatile("at s1e1r, %0\n isb" : : "r"(page));
    print_hex(GET(par_el1) & 1);
    asm volatile("at s1e0r, %0\n isb" : : "r"(page));
    print_hex(GET(par_el1) & 0x37f);
    asm volatile("at s1e0r, %0\n isb" : : "r"((u64)page + (2ul << 30)));
    print_hex(GET(par_el1) & 1);
    asm volatile("at s1e2w, %0\n isb" : : "r"((u64)page + (2ul << 30)));
    print_hex(GET(par_el1) & 0x37f), print("\n");
    SET(sctlr_el1, 0x30c50838);
    print_hex(GET(sctlr_el2) & 1), print("\n");
    hcr(0);
    SET(tcr_el2, 0), SET(cptr_el2, 0x33ff);
}

#define LR(intid, priority, more) ((1ul << 62) | (1ul << 60) | ((u64)(priority) << 48) | (more) | (intid))
static void interface(const char *what)
{
    print(what);
    print_hex(GET(ICH_LR0)), print_hex(GET(ICH_LR1)), print_hex(GET(ICH_AP1R0)), print_hex(GET(ICH_HCR));
    print(" MISR"), print_hex(GET(ICH_MISR)), print(" EISR"), print_hex(GET(ICH_EISR));
    print(" ELRSR"), print_hex(GET(ICH_ELRSR) & 15), print(" VMCR"), print_hex(GET(ICH_VMCR) & 0xff000213), print("\n");
}
#define MRS_IAR1 0xd538cc00u
#define MSR_EOIR1 0xd518cc20u
#define MSR_DIR 0xd518cb20u
static void virtual_interrupts(void)
{
    print("# virtual interrupts\n");
    SET(ICC_SRE_EL2, 15);
    hcr(IMO);
    SET(ICH_VMCR, 0xf8ul << 24 | 2);
    SET(ICH_HCR, 1);
    SET(ICH_LR0, LR(100, 0xa0, 0)), SET(ICH_LR1, LR(101, 0x80, 0)), SET(ICH_LR2, 0), SET(ICH_LR3, 0);
    interface("listed");
    run(EL1_OPEN, NOP, 0), tell("open");
    run(EL1, MRS_IAR1, 0), tell("IAR"), interface("active");
    run(EL1, MRS_IAR1, 0), tell("IAR"), interface("masked by priority");
    run(EL1, MSR_EOIR1, 101), tell("EOIR"), interface("ended");
    run(EL1, MRS_IAR1, 0), tell("IAR");
    run(EL1, 0xd538cb60, 0), tell("RPR");
    run(EL1, MSR_EOIR1, 100), tell("EOIR"), interface("ended");
    run(EL1, MRS_IAR1, 0), tell("IAR");
    run(EL1, MSR_EOIR1, 77), tell("EOIR without one"), interface("nothing");
    SET(ICH_LR0, LR(102, 0x80, 1ul << 41));
    run(EL1, MRS_IAR1, 0), run(EL1, MSR_EOIR1, 102), interface("asked for EOI");
    SET(ICH_LR0, 0), SET(ICH_HCR, 1 | 2), interface("underflow");
    SET(ICH_HCR, 1 | 8), interface("none pending");
    SET(ICH_HCR, 1 | 4 | 3ul << 27), interface("EOIcount");
    SET(ICH_HCR, 1 | 64), interface("group 1 enabled");
    SET(ICH_HCR, 1 | 128), interface("group 1 disabled");
    SET(ICH_HCR, 1);
    run(EL1, 0xd5184600, 0x50), tell("PMR"), interface("PMR");
    run(EL1, 0xd5384600, 0), tell("PMR");
    run(EL1, 0xd518cc80, 2), tell("CTLR"), interface("EOImode");
    run(EL1, 0xd518cc60, 5), tell("BPR1"), run(EL1, 0xd538cc60, 0), tell("BPR1");
    SET(ICH_VMCR, 0xf8ul << 24 | 2 | 1ul << 9);
    SET(ICH_LR0, LR(103, 0x80, 0));
    run(EL1, MRS_IAR1, 0), tell("IAR"), run(EL1, MSR_EOIR1, 103), interface("dropped");
    run(EL1, MSR_DIR, 103), interface("deactivated");
    run(EL1, 0xd518cce0, 0), tell("IGRPEN1"), interface("group off");
    run(EL1, 0xd518cba0, 0), tell("SGI");
    SET(ICH_HCR, 1 | 1ul << 12), run(EL1, MRS_IAR1, 0), tell("TALL1");
    SET(ICH_HCR, 1 | 1ul << 10), run(EL1, 0xd5384600, 0), tell("TC");
    SET(ICH_HCR, 0);
    hcr(IMO | 1ul << 7), run(EL1_OPEN, NOP, 0), tell("VI");
    hcr(IMO | 1ul << 7), run(EL1, NOP, 0), tell("VI masked");
    hcr(1ul << 7), run(EL1_OPEN, NOP, 0), tell("VI without IMO");
    hcr(0);
}

static void physical_interrupts(void)
{
    print("# timers\n");
    w32(GICD, 0x12);
    w32(SGI - 0x10000 + 0x14, 0), barrier();
    w32(SGI + 0x80, ~0u);
    w32(SGI + 0x100, 1u << 26 | 1u << 28);
    barrier();
    SET(ICC_PMR, 0xf0), SET(ICC_IGRPEN1, 1);
    /* QEMU 7.2 does not connect CNTHV. */
    SET(cnthp_cval_el2, 0), SET(cnthp_ctl_el2, 1);
    barrier();
    print("CNTHP"), print_hex(GET(cnthp_ctl_el2)), print("\n");
    hcr(IMO), run(EL1, NOP, 0), tell("masked by EL1");
    hcr(0), run(EL2 & ~0x80ul, NOP, 0), tell("not routed");
    run(EL1, NOP, 0), tell("masked");
    run(EL1_OPEN, NOP, 0), tell("not routed, to EL1");
    hcr(TGE), run(EL0, NOP, 0), tell("EL0 with TGE");
    hcr(IMO), run(EL2 & ~0x80ul, NOP, 0), tell("EL2");
    print_hex(GET(ICC_IAR1)), print("\n");
    SET(cnthp_ctl_el2, 0);
    SET(ICC_EOIR1, 26);
    hcr(0);
}

void main(void)
{
    print("CurrentEL"), print_hex(GET(CurrentEL)), print("\n");
    SET(vbar_el2, vectors2);
    SET(vbar_el1, vectors1);
    SET(cptr_el2, 0x33ff), SET(mdcr_el2, 6), SET(cnthctl_el2, 3), SET(hcr_el2, RW | API_APK);
    SET(sctlr_el1, 0x30c50838);
    trap_table();
    other_traps();
    stage2_faults();
    virtual_interrupts();
    physical_interrupts();
    hosts();
    print("done\n");
    register u64 x0 asm("x0") = 0x84000008;
    asm volatile("smc #0" : "+r"(x0));
    for (;;) asm volatile("wfi");
}
