/*
 * A monitor at EL2 that gives a TMK an ordinary VM on `qemu-system-aarch64 -M virt,virtualization=on`: RAM behind stage 2, and
 * outside of it nothing but the command page; loads from elsewhere read all ones, but where null pointers and an overflow of the
 * stack lead to, which is a fault. What the guest does is told in records on a
 * channel of the monitor's own (records.c); who reads them decodes commands, and says what to load and to run.
 */
#include "machine.h"

#define VERSION 1
#define UART 0x09000000ul
/* Must be aligned to 2 MiB. */
#define GUEST_PA 0x40800000ul
#define COMMAND_ADDRESS 0xffff0000ul
/* Bits of IPA: stage 2 starts at level 1, whose eight entries cover 8 GiB. */
#define IPA_BITS 33
#define COMMAND_BYTES 48
#define MAX_STRING 0x10000ul
/* Bytes at address 0, and below RAM, where nothing is emulated (petri/tmk/memory-holes.ts, HOLE_BYTES). */
#define HOLE_BYTES 0x10000ul
/* Accesses without a device that are reported, in each direction. */
#define UNSERVED_TOLD 16

/* A request of the other side: five words, followed by bytes for LOAD. */
struct request {
    enum { REQUEST_MEMORY = 1, REQUEST_LOAD = 2, REQUEST_START = 3, REQUEST_CONTINUE = 4, REQUEST_WORD = ~0ul } type;
    uint64_t arguments[4];
};
_Static_assert(sizeof(struct request) == 40, "a request is five words");

/* Does not return: the stack starts over. */
void enter_guest(uint64_t pc, uint64_t x0) __attribute__((noreturn));

static uint64_t level1[8] __attribute__((aligned(4096)));
/* For the 1 GiB pages that RAM may touch. */
static uint64_t level2[4][512] __attribute__((aligned(4096)));
static uint64_t ram_ipa, ram_bytes;

#define BLOCK (2ul << 20)
#define MAX_BLOCKS 2048
/*
 * Which blocks of the guest's RAM are not zero any more, by physical address. Not part of the program, so that it outlasts a reset
 * of the machine, which leaves RAM as it is and loads the program again: the next guest gets zeros, too.
 */
#define TOUCHED ((volatile uint8_t *)0x40700000ul)

void *memcpy(void *restrict destination, const void *restrict source, size_t count)
{
    uint8_t *to = destination;
    const uint8_t *from = source;
    if ((((uint64_t)to | (uint64_t)from) & 7) == 0)
        for (; count >= 8; count -= 8, to += 8, from += 8)
            *(uint64_t *)to = *(const uint64_t *)from;
    for (; count > 0; count--)
        *to++ = *from++;
    return destination;
}

void *memset(void *destination, int value, size_t count)
{
    for (uint8_t *to = destination; count > 0; count--)
        *to++ = (uint8_t)value;
    return destination;
}

static void put(char character)
{
    mmio_write(UART, (uint8_t)character);
}

void __attribute__((noreturn)) die(const char *why, uint64_t value)
{
    while (*why != 0)
        put(*why++);
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
    put('\n');
    /* PSCI SYSTEM_OFF: QEMU ends. */
    register uint64_t function __asm__("x0") = 0x84000008;
    __asm__ volatile("smc #0" : : "r"(function));
    for (;;)
        __asm__ volatile("wfi");
}

void monitor_fault(uint64_t esr, uint64_t elr, uint64_t far)
{
    (void)esr;
    (void)far;
    die("the monitor faulted at ", elr);
}

/* Undefined if any byte of the range is not RAM of the guest. */
static uint8_t *guest_bytes(uint64_t ipa, uint64_t length)
{
    uint64_t offset = ipa - ram_ipa;
    if (offset >= ram_bytes || length > ram_bytes - offset)
        return 0;
    return (uint8_t *)(GUEST_PA + offset);
}

enum { STATE_WORDS = 31 + 10 };

static void add_state(const uint64_t *x)
{
    uint64_t spsr = SYSREG_READ(spsr_el2);
    for (unsigned n = 0; n < 31; n++)
        record_add_word(x[n]);
    /* SP_EL1 is in use at EL1 with SPSel set. */
    record_add_word((spsr & 0xf) == 5 ? SYSREG_READ(sp_el1) : SYSREG_READ(sp_el0));
    record_add_word(SYSREG_READ(elr_el2));
    record_add_word(spsr);
    record_add_word(SYSREG_READ(esr_el2));
    record_add_word(SYSREG_READ(far_el2));
    record_add_word(SYSREG_READ(hpfar_el2));
    record_add_word(SYSREG_READ(vbar_el1));
    record_add_word(SYSREG_READ(elr_el1));
    record_add_word(SYSREG_READ(spsr_el1));
    record_add_word(SYSREG_READ(esr_el1));
}

static void tell_state(enum record_type type, const uint64_t *x)
{
    record_begin(type, STATE_WORDS * 8);
    add_state(x);
    record_end();
}

static void receive(struct request *request)
{
    channel_read(request, sizeof(*request));
}

/* The guest has ended. A request now would be an error of the other side. */
static void __attribute__((noreturn)) end(enum record_type type, const uint64_t *x)
{
    tell_state(type, x);
    struct request request;
    receive(&request);
    die("unexpected request after the end: ", request.type);
}

struct range {
    uint64_t ipa;
    uint64_t length;
};

/* Copies a string of a command into the record if it is readable. Otherwise the other side reports that. */
static unsigned take_string(struct range *ranges, unsigned count, const uint64_t *words)
{
    if (words[1] == 0 || words[1] > MAX_STRING || guest_bytes(words[0], words[1]) == 0)
        return count;
    ranges[count] = (struct range){ words[0], words[1] };
    return count + 1;
}

/*
 * A store to the command address. The other side decodes the command; here is only decided what it needs for that. A command
 * that may end the test waits for its answer.
 */
static void tell_store(const uint64_t *x, uint64_t value, uint64_t bytes)
{
    struct range ranges[3];
    unsigned count = 0;
    bool waits = false;
    const uint8_t *block = bytes == 8 ? guest_bytes(value, COMMAND_BYTES) : 0;
    if (block != 0) {
        uint64_t words[COMMAND_BYTES / 8];
        memcpy(words, block, COMMAND_BYTES);
        ranges[count++] = (struct range){ value, COMMAND_BYTES };
        uint32_t kind = (uint32_t)words[0];
        if (kind <= 1)
            count = take_string(ranges, count, words + 1);
        if (kind == 1)
            count = take_string(ranges, count, words + 3);
        waits = (kind == 1 && count == 1u + (words[2] != 0) + (words[4] != 0)) ||
                (kind == 2 && (words[0] >> 32 & 0xff) <= 1);
    }
    if (waits)
        tell_state(RECORD_STATE, x);
    size_t length = 4 * 8;
    for (unsigned i = 0; i < count; i++)
        length += 16 + ranges[i].length;
    record_begin(RECORD_COMMAND, length);
    record_add_word(value);
    record_add_word(bytes);
    record_add_word(waits);
    record_add_word(count);
    for (unsigned i = 0; i < count; i++) {
        record_add(&ranges[i], sizeof(ranges[i]));
        record_add(guest_bytes(ranges[i].ipa, ranges[i].length), ranges[i].length);
    }
    record_end();
    if (waits) {
        struct request request;
        receive(&request);
        if (request.type != REQUEST_CONTINUE)
            die("unexpected request after a command: ", request.type);
    }
}

static void tell_unserved(uint64_t ipa, uint64_t esr, uint64_t value)
{
    static unsigned told[2];
    unsigned direction = esr >> 6 & 1;
    if (told[direction] == UNSERVED_TOLD)
        return;
    told[direction]++;
    record_begin(RECORD_UNSERVED, 3 * 8);
    record_add_word(ipa);
    record_add_word(esr);
    record_add_word(value);
    record_end();
}

static void skip_instruction(void)
{
    SYSREG_WRITE(elr_el2, SYSREG_READ(elr_el2) + 4);
}

static bool in_hole(uint64_t ipa)
{
    return ipa < HOLE_BYTES || ram_ipa - ipa - 1 < HOLE_BYTES;
}

/* See the ISS of data aborts in the Arm ARM. */
static void data_abort(uint64_t *x, uint64_t esr)
{
    uint64_t ipa = (SYSREG_READ(hpfar_el2) >> 4 & 0xffffffffff) << 12 | (SYSREG_READ(far_el2) & 0xfff);
    if ((esr >> 24 & 1) == 0 || in_hole(ipa))
        end(RECORD_FAULT, x);
    unsigned register_number = esr >> 16 & 31;
    unsigned bits = 8u << (esr >> 22 & 3);
    uint64_t ones = ~0ul >> (64 - bits);
    if (esr >> 6 & 1) {
        uint64_t value = register_number == 31 ? 0 : x[register_number] & ones;
        skip_instruction();
        if (ipa == COMMAND_ADDRESS)
            tell_store(x, value, bits / 8);
        else
            tell_unserved(ipa, esr, value);
        return;
    }
    if (ipa != COMMAND_ADDRESS)
        tell_unserved(ipa, esr, 0);
    if (register_number != 31) {
        bool sign_extend = esr >> 21 & 1, wide = esr >> 15 & 1;
        x[register_number] = !sign_extend ? ones : wide ? ~0ul : 0xffffffff;
    }
    skip_instruction();
}

/* PSCI of a machine with one PE, by HVC #0 (Arm DEN0022). */
static void hvc(uint64_t *x, uint64_t esr)
{
    enum { PSCI_VERSION = 0, MIGRATE_INFO_TYPE = 6, SYSTEM_OFF = 8, SYSTEM_RESET = 9, PSCI_FEATURES = 10 };
    uint32_t function = (uint32_t)x[0] - 0x84000000u, asked = (uint32_t)x[1] - 0x84000000u;
    if ((esr & 0xffff) != 0)
        end(RECORD_FAULT, x);
    switch (function) {
    case PSCI_VERSION:
        x[0] = 0x10001;
        break;
    case MIGRATE_INFO_TYPE:
        /* There is no Trusted OS to migrate. */
        x[0] = 2;
        break;
    case SYSTEM_OFF:
        end(RECORD_POWER_OFF, x);
    case SYSTEM_RESET:
        end(RECORD_RESET, x);
    case PSCI_FEATURES:
        x[0] = asked == PSCI_VERSION || asked == MIGRATE_INFO_TYPE ||
                       (asked >= SYSTEM_OFF && asked <= PSCI_FEATURES) ? 0 : ~0ul;
        break;
    default:
        end(RECORD_FAULT, x);
    }
}

/* Injects the exception of an undefined instruction into EL1. */
static void undefined(void)
{
    uint64_t spsr = SYSREG_READ(spsr_el2);
    unsigned mode = spsr & 0xf;
    SYSREG_WRITE(elr_el1, SYSREG_READ(elr_el2));
    SYSREG_WRITE(spsr_el1, spsr);
    SYSREG_WRITE(esr_el1, 1ul << 25);
    SYSREG_WRITE(elr_el2, SYSREG_READ(vbar_el1) + (mode == 0 ? 0x400 : mode == 4 ? 0 : 0x200));
    SYSREG_WRITE(spsr_el2, 0x3c5);
}

/* Sets the range of RAM. None of it is mapped yet. */
static void place_ram(uint64_t ipa, uint64_t bytes)
{
    const uint64_t gigabyte = 1ul << 30;
    uint64_t tables = bytes == 0 ? 0 : ((ipa + bytes - 1) >> 30) - (ipa >> 30) + 1;
    if ((ipa | bytes) % BLOCK != 0 || bytes > MAX_BLOCKS * BLOCK || ipa > (8 * gigabyte) - bytes || tables > 4)
        die("RAM cannot be mapped: ", bytes);
    ram_ipa = ipa;
    ram_bytes = bytes;
    for (uint64_t at = 0; at < tables; at++)
        level1[(ipa >> 30) + at] = (uint64_t)level2[at] | 3;
}

/* Maps the block of an address, which must be in RAM. */
static void map_block(uint64_t ipa)
{
    uint64_t offset = (ipa - ram_ipa) / BLOCK * BLOCK;
    uint64_t at = ram_ipa + offset;
    TOUCHED[offset / BLOCK] = 1;
    /* Normal write-back memory, read and write, access flag set. */
    level2[(at >> 30) - (ram_ipa >> 30)][at >> 21 & 511] = (GUEST_PA + offset) | 0x7fd;
    __asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

/* The first access of the guest to a block of its RAM. @returns false for any other abort */
static bool served_by_mapping(uint64_t esr)
{
    /* Translation faults, except on walks of the guest's own tables, which are in RAM and mapped the same way. */
    uint64_t ipa = (SYSREG_READ(hpfar_el2) >> 4 & 0xffffffffff) << 12;
    if ((esr >> 2 & 0xf) != 1 || guest_bytes(ipa, 1) == 0)
        return false;
    map_block(ipa);
    return true;
}

static void load(uint64_t ipa, uint64_t bytes)
{
    uint8_t *to = guest_bytes(ipa, bytes);
    if (to == 0)
        die("loading outside of RAM: ", ipa);
    for (uint64_t at = ipa & ~(BLOCK - 1); at < ipa + bytes; at += BLOCK)
        map_block(at < ipa ? ipa : at);
    channel_read(to, bytes);
}

/* @returns how many blocks were touched before this reset */
static uint64_t clear_touched(void)
{
    uint64_t blocks = 0;
    for (uint64_t block = 0; block < MAX_BLOCKS; block++) {
        if (!TOUCHED[block])
            continue;
        volatile uint64_t *words = (volatile uint64_t *)(GUEST_PA + block * BLOCK);
        for (uint64_t i = 0; i < BLOCK / 8; i += 4)
            words[i] = words[i + 1] = words[i + 2] = words[i + 3] = 0;
        TOUCHED[block] = 0;
        blocks++;
    }
    return blocks;
}

static bool timer_fired(void)
{
    /* ENABLE and ISTATUS without IMASK. */
    return (SYSREG_READ(cntv_ctl_el0) & 7) == 5 || (SYSREG_READ(cntp_ctl_el0) & 7) == 5;
}

void guest_exit(uint64_t *x)
{
    uint64_t esr = SYSREG_READ(esr_el2);
    switch (esr >> 26 & 0x3f) {
    case 0x01: /* WFI. WFE, WFIT and WFET may end at any time, so they end at once. */
        if ((esr & 3) == 0)
            while (!timer_fired())
                sleep_for(WAKE_TIMERS);
        skip_instruction();
        break;
    case 0x16:
        hvc(x, esr);
        break;
    case 0x17: /* SMC: there is no EL3 */
        undefined();
        break;
    case 0x20:
        if (!served_by_mapping(esr))
            end(RECORD_FAULT, x);
        break;
    case 0x24:
        if (!served_by_mapping(esr))
            data_abort(x, esr);
        break;
    default:
        end(RECORD_FAULT, x);
    }
}

static void __attribute__((noreturn)) start(uint64_t entry, uint64_t x0)
{
    SYSREG_WRITE(vttbr_el2, level1);
    SYSREG_WRITE(vtcr_el2, 0x80000000 | (2ul << 16) | (3ul << 12) | (1ul << 10) | (1ul << 8) | (1ul << 6) | (64 - IPA_BITS));
    /* EL1 is AArch64 and uses pointer authentication without traps; SMC, WFI and SError come here; stage 2 is on. */
    SYSREG_WRITE(hcr_el2, (1ul << 41) | (1ul << 40) | (1ul << 31) | (1ul << 19) | (1ul << 13) | (1ul << 5) | 1);
    SYSREG_WRITE(cptr_el2, 0x33ff);
    SYSREG_WRITE(cnthctl_el2, 3);
    SYSREG_WRITE(cntvoff_el2, 0);
    SYSREG_WRITE(vpidr_el2, SYSREG_READ(midr_el1));
    SYSREG_WRITE(vmpidr_el2, SYSREG_READ(mpidr_el1));
    SYSREG_WRITE(sctlr_el1, 0xc50878);
    SYSREG_WRITE(cpacr_el1, 0);
    SYSREG_WRITE(vbar_el1, 0);
    /* The reset values of the simulator and TF-RMM. */
    SYSREG_WRITE(mdscr_el1, 1 << 12);
    SYSREG_WRITE(spsr_el2, 0x3c5);
    __asm__ volatile("dsb sy\n\ttlbi vmalls12e1\n\tic iallu\n\tdsb sy\n\tisb");
    enter_guest(entry, x0);
}

void monitor_main(void)
{
    interrupts_init();
    channel_init();
    record_begin(RECORD_READY, 2 * 8);
    record_add_word(VERSION);
    record_add_word(clear_touched());
    record_end();
    for (;;) {
        struct request request;
        receive(&request);
        switch (request.type) {
        case REQUEST_MEMORY:
            place_ram(request.arguments[0], request.arguments[1]);
            break;
        case REQUEST_LOAD:
            load(request.arguments[0], request.arguments[1]);
            break;
        case REQUEST_START:
            start(request.arguments[0], request.arguments[1]);
        default:
            die("unknown request ", request.type);
        }
    }
}
