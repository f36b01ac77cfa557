/*
 * A monitor at EL2 that gives a TMK what plane 1 of a realm has: RAM behind stage 2 and nothing else, commands at 0xffff0000, loads
 * from anywhere else that read all ones. It runs on `qemu-system-aarch64 -M virt,virtualization=on`, one test after the
 * other, and says on the UART what came of each: a second opinion about the payloads, from a machine that is not ours.
 */
#include <stdbool.h>
#include <stdint.h>

#define UART 0x09000000ul
#define RAM_PA 0x44000000ul
#define RAM_SIZE 0x400000ul
#define ELF_FILE 0x48000000ul
#define COMMAND_ADDRESS 0xffff0000ul

/* Put there by QEMU's loader device. */
struct request {
    uint64_t test_index;
    uint64_t test_count;
    uint64_t ram_ipa;
};
#define REQUEST ((volatile struct request *)0x4c000000ul)

#define SYSREG_READ(name) ({ uint64_t value; __asm__ volatile("mrs %0, " #name : "=r"(value)); value; })
#define SYSREG_WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

/* Does not return: the stack begins anew. */
void enter_guest(uint64_t pc, uint64_t x0) __attribute__((noreturn));

static uint64_t level1[8] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));

static void put(char character)
{
    *(volatile uint32_t *)UART = (uint8_t)character;
}

static void print(const char *text)
{
    while (*text != 0)
        put(*text++);
}

static void print_hex(const char *label, uint64_t value)
{
    print(label);
    print("0x");
    bool started = false;
    for (int shift = 60; shift >= 0; shift -= 4) {
        unsigned digit = (value >> shift) & 15;
        started |= digit != 0 || shift == 0;
        if (started)
            put("0123456789abcdef"[digit]);
    }
}

static void __attribute__((noreturn)) power_off(void)
{
    register uint64_t function __asm__("x0") = 0x84000008;
    __asm__ volatile("smc #0" : : "r"(function));
    for (;;) {
    }
}

static void __attribute__((noreturn)) boot(uint64_t test_index);

/* The end of a test, and the begin of the next. */
static void __attribute__((noreturn)) end_test(void)
{
    static uint64_t tests_run = 1;
    print("\n");
    if (tests_run == REQUEST->test_count)
        power_off();
    boot(REQUEST->test_index + tests_run++);
}

void monitor_fault(uint64_t esr, uint64_t elr, uint64_t far)
{
    print_hex("MONITOR FAULT esr ", esr);
    print_hex(" elr ", elr);
    print_hex(" far ", far);
    print("\n");
    power_off();
}

static uint8_t *guest_bytes(uint64_t ipa, uint64_t length)
{
    uint64_t offset = ipa - REQUEST->ram_ipa;
    if (offset > RAM_SIZE || length > RAM_SIZE - offset)
        return 0;
    return (uint8_t *)(RAM_PA + offset);
}

#define MAX_STRING 0x10000ul

static bool readable(uint64_t ipa, uint64_t length)
{
    return length <= MAX_STRING && (length == 0 || guest_bytes(ipa, length) != 0);
}

static void print_string(uint64_t ipa, uint64_t length)
{
    const uint8_t *bytes = guest_bytes(ipa, length);
    for (uint64_t i = 0; i < length; i++)
        put((char)bytes[i]);
}

static void command(uint64_t ipa)
{
    const uint64_t *words = (const uint64_t *)guest_bytes(ipa, 48);
    uint32_t kind = words == 0 || (ipa & 7) != 0 ? ~0u : (uint32_t)words[0];
    if (kind == 0 && readable(words[1], words[2])) {
        print("LOG ");
        print_string(words[1], words[2]);
        print("\n");
    } else if (kind == 1 && readable(words[1], words[2]) && readable(words[3], words[4])) {
        print("PANIC ");
        print_string(words[1], words[2]);
        print(" at ");
        print_string(words[3], words[4]);
        print_hex(":", (uint32_t)words[5]);
        end_test();
    } else if (kind == 2 && (words[0] >> 32 & 0xff) <= 1) {
        print(words[0] >> 32 & 0xff ? "COMPLETE true" : "COMPLETE false");
        end_test();
    } else {
        print("REJECTED\n");
    }
}

static void __attribute__((noreturn)) fault(const char *what, uint64_t esr)
{
    print("FAULT ");
    print(what);
    print_hex(" esr ", esr);
    print_hex(" pc ", SYSREG_READ(elr_el2) - REQUEST->ram_ipa);
    print_hex(" far ", SYSREG_READ(far_el2));
    print_hex(" hpfar ", SYSREG_READ(hpfar_el2));
    end_test();
}

/* Plane 0's handling of a data abort (see the ISS of data aborts in the Arm ARM). */
static void data_abort(uint64_t *x, uint64_t esr)
{
    if ((esr >> 24 & 1) == 0)
        fault("data abort without syndrome", esr);
    unsigned register_number = esr >> 16 & 31;
    unsigned bits = 8u << (esr >> 22 & 3);
    if (esr >> 6 & 1) {
        uint64_t value = register_number == 31 ? 0 : x[register_number];
        if (SYSREG_READ(far_el2) == COMMAND_ADDRESS && bits == 64)
            command(value);
    } else if (register_number != 31) {
        uint64_t ones = ~0ul >> (64 - bits);
        if (esr >> 21 & 1)
            ones = esr >> 15 & 1 ? ~0ul : 0xffffffff;
        x[register_number] = ones;
    }
    SYSREG_WRITE(elr_el2, SYSREG_READ(elr_el2) + 4);
}

void guest_exit(uint64_t *x)
{
    uint64_t esr = SYSREG_READ(esr_el2);
    switch (esr >> 26 & 0x3f) {
    case 0x24:
        data_abort(x, esr);
        break;
    case 0x01: /* WFI: nothing will come, so it is over at once */
    case 0x17: /* SMC: ignored, as OpenVMM does */
        SYSREG_WRITE(elr_el2, SYSREG_READ(elr_el2) + 4);
        break;
    case 0x20:
        fault("instruction abort", esr);
    case 0x16:
        fault("hvc", esr);
    default:
        fault("exit", esr);
    }
}

static void __attribute__((noreturn)) boot(uint64_t test_index)
{
    const uint8_t *file = (const uint8_t *)ELF_FILE;
    uint64_t entry = *(const uint64_t *)(file + 24);
    const uint8_t *header = file + *(const uint64_t *)(file + 32);
    volatile uint64_t *ram = (volatile uint64_t *)RAM_PA;
    for (uint64_t i = 0; i < RAM_SIZE / 8; i++)
        ram[i] = 0;
    uint64_t end = 0;
    for (unsigned n = *(const uint16_t *)(file + 56); n > 0; n--, header += 56) {
        if (*(const uint32_t *)header != 1)
            continue;
        uint64_t offset = *(const uint64_t *)(header + 8), address = *(const uint64_t *)(header + 16);
        uint64_t size = *(const uint64_t *)(header + 32), memory = *(const uint64_t *)(header + 40);
        for (uint64_t i = 0; i < size; i++)
            ((volatile uint8_t *)RAM_PA)[address + i] = file[offset + i];
        if (address + memory > end)
            end = address + memory;
    }
    end = (end + 4095) & ~4095ul;
    ram[end / 8] = COMMAND_ADDRESS;
    ram[end / 8 + 1] = test_index;

    SYSREG_WRITE(sctlr_el1, 0xc50878);
    SYSREG_WRITE(cpacr_el1, 0);
    SYSREG_WRITE(vbar_el1, 0);
    SYSREG_WRITE(cntv_ctl_el0, 0);
    __asm__ volatile("msr fpcr, xzr\n\tmsr fpsr, xzr");
    SYSREG_WRITE(spsr_el2, 0x3c5);
    __asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb");
    enter_guest(REQUEST->ram_ipa + entry, REQUEST->ram_ipa + end);
}

void monitor_main(void)
{
    uint64_t ipa = REQUEST->ram_ipa;
    /* Stage 2 as in a realm with 33 bits of IPA: 4 KiB granule, from level 1, write-back memory. */
    level1[ipa >> 30] = (uint64_t)level2 | 3;
    for (unsigned i = 0; i < RAM_SIZE >> 21; i++)
        level2[(ipa >> 21 & 511) + i] = (RAM_PA + ((uint64_t)i << 21)) | 0x7fd;
    SYSREG_WRITE(vttbr_el2, level1);
    SYSREG_WRITE(vtcr_el2, 0x80000000 | (2ul << 16) | (3ul << 12) | (1ul << 10) | (1ul << 8) | (1ul << 6) | 31);
    /* EL1 is AArch64; SMC and WFI exit; stage 2 is on. */
    SYSREG_WRITE(hcr_el2, (1ul << 31) | (1ul << 19) | (1ul << 13) | 1);
    SYSREG_WRITE(cptr_el2, 0x33ff);
    SYSREG_WRITE(cnthctl_el2, 3);
    SYSREG_WRITE(vpidr_el2, SYSREG_READ(midr_el1));
    SYSREG_WRITE(vmpidr_el2, SYSREG_READ(mpidr_el1));
    __asm__ volatile("dsb sy\n\ttlbi vmalls12e1\n\tdsb sy\n\tisb");
    boot(REQUEST->test_index);
}
