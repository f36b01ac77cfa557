/*
 * What becomes of an exception that nothing expects: a panic with its class in words, its syndrome and where it was taken from.
 * Addresses in the image have their offset in it behind them, from which whoever has the symbols names the function.
 */
#include "stack.h"
#include "tmk.h"

extern char tmk_image_start[] __attribute__((visibility("hidden")));
extern char tmk_image_end[] __attribute__((visibility("hidden")));

/* As the vector stores it. */
struct exception {
    uint64_t vector;
    uint64_t sp;
    uint64_t esr;
    uint64_t elr;
    uint64_t far;
    uint64_t spsr;
    uint64_t link;
};

/* Not tmk_format: it may be what faulted. */
struct text {
    size_t length;
    char bytes[768];
};

static struct text message;
static struct exception first;

static void add(const char *words)
{
    while (*words != 0 && message.length < sizeof(message.bytes))
        message.bytes[message.length++] = *words++;
}

static void add_hex(uint64_t value)
{
    char digits[19];
    unsigned at = sizeof(digits) - 1;
    digits[at] = 0;
    do
        digits[--at] = "0123456789abcdef"[value & 15];
    while ((value >>= 4) != 0);
    digits[--at] = 'x';
    digits[--at] = '0';
    add(digits + at);
}

static void add_register(const char *name, uint64_t value)
{
    add(", ");
    add(name);
    add(" ");
    add_hex(value);
}

static void add_address(uint64_t address)
{
    add_hex(address);
    uint64_t offset = address - (uint64_t)tmk_image_start;
    if (offset >= (uint64_t)(tmk_image_end - tmk_image_start))
        return;
    add(" (image+");
    add_hex(offset);
    add(")");
}

/* The fault status code of an abort. */
static void add_status(uint64_t code)
{
    static const char kinds[4][20] = { "address size fault", "translation fault", "access flag fault", "permission fault" };
    if (code < 16) {
        add(kinds[code >> 2]);
        add(" level ");
        add_hex(code & 3);
    } else if (code == 0x10) {
        add("synchronous external abort");
    } else if (code == 0x21) {
        add("alignment fault");
    } else {
        add("fault status ");
        add_hex(code);
    }
}

static void add_numbered(const char *name, uint64_t number)
{
    add(name);
    add(" #");
    add_hex(number);
}

/* ESR_EL1.EC in words, with what ISS says (Arm ARM, ESR_EL1). */
static void add_synchronous(uint64_t esr)
{
    switch (esr >> 26 & 0x3f) {
    case 0x00:
        add("undefined instruction");
        break;
    case 0x07:
        add("trapped SIMD or floating point");
        break;
    case 0x09:
        add("trapped pointer authentication");
        break;
    case 0x0d:
        add("branch target exception");
        break;
    case 0x0e:
        add("illegal execution state");
        break;
    case 0x15:
        add_numbered("SVC", esr & 0xffff);
        break;
    case 0x18:
        add("trapped system instruction");
        break;
    case 0x19:
        add("trapped SVE");
        break;
    case 0x1c:
        add("pointer authentication failure");
        break;
    case 0x1d:
        add("trapped SME");
        break;
    case 0x20:
    case 0x21:
        add("instruction abort, ");
        add_status(esr & 0x3f);
        break;
    case 0x22:
        add("PC alignment fault");
        break;
    case 0x24:
    case 0x25:
        add(esr >> 6 & 1 ? "data abort of a write, " : "data abort of a read, ");
        add_status(esr & 0x3f);
        break;
    case 0x26:
        add("SP alignment fault");
        break;
    case 0x2c:
        add("trapped floating-point exception");
        break;
    case 0x30:
    case 0x31:
        add("breakpoint");
        break;
    case 0x32:
    case 0x33:
        add("software step");
        break;
    case 0x34:
    case 0x35:
        add("watchpoint");
        break;
    case 0x3c:
        add_numbered("BRK", esr & 0xffff);
        break;
    default:
        add("exception class ");
        add_hex(esr >> 26 & 0x3f);
    }
}

static void add_class(const struct exception *exception)
{
    switch (exception->vector >> 7 & 3) {
    case 0:
        add_synchronous(exception->esr);
        break;
    case 1:
        add("IRQ");
        break;
    case 2:
        add("FIQ");
        break;
    case 3:
        add("SError");
        break;
    }
    if (exception->vector >= 0x400)
        add(" at EL0");
}

static void describe(const struct exception *exception)
{
    add_class(exception);
    add(" at ELR_EL1 ");
    add_address(exception->elr);
    add_register("FAR_EL1", exception->far);
    add_register("ESR_EL1", exception->esr);
    add_register("SPSR_EL1", exception->spsr);
    add_register("SP", exception->sp);
    add(", LR ");
    add_address(exception->link);
}

static void __attribute__((noreturn)) panic(void)
{
    static const char file[] = "runtime/exceptions.c";
    static union tmk_command command;
    command.panic.discriminant = TMK_COMMAND_PANIC;
    command.panic.message = message.bytes;
    command.panic.message_length = message.length;
    command.panic.file = file;
    command.panic.file_length = sizeof(file) - 1;
    command.panic.line = __LINE__;
    tmk_send(&command);
    for (;;)
        __asm__ volatile("brk #0");
}

void __attribute__((used, noreturn)) tmk_exception(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr, uint64_t far,
                                                   uint64_t spsr, uint64_t link)
{
    first = (struct exception){ vector, sp, esr, elr, far, spsr, link };
    add("unexpected exception: ");
    describe(&first);
    if (tmk_stack_overflowed(sp) || tmk_stack_overflowed(far))
        add("; " TMK_STACK_OVERFLOW);
    panic();
}

/* A second fault while the first was being reported. Both are reported. */
void __attribute__((used, noreturn)) tmk_nested_exception(uint64_t vector, uint64_t sp, uint64_t esr, uint64_t elr,
                                                          uint64_t far, uint64_t spsr, uint64_t link)
{
    struct exception nested = { vector, sp, esr, elr, far, spsr, link };
    message.length = 0;
    add("exception in the handler of another: ");
    describe(&nested);
    add("; the first was ");
    describe(&first);
    panic();
}
