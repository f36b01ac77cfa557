/*
 * Runtime of test microkernels: C programs that run alone in a VM, speak OpenVMM's tmk_protocol, and hold any number of tests.
 *
 *     #include "tmk.h"
 *
 *     TMK_TEST(boot, 0)
 *     {
 *         tmk_log("hello world");
 *     }
 *
 * A test passes when it returns, and fails when it panics. The monitor names the one to run; each runs in a VM of its own.
 * The MMU is off, so every access must be aligned (-mstrict-align) and memory that is not RAM is a device.
 */
#ifndef TMK_H
#define TMK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The test passes if it panics or faults, and fails if it returns. */
#define TMK_EXPECTED_FAILURE 1ul
/* The test is only for monitors that run on Linux. */
#define TMK_LINUX_ONLY 2ul

/* One entry of the section tmk_tests: the layout is part of the protocol. */
struct tmk_test {
    const char *name;
    uint64_t name_length;
    void (*entry)(void);
    uint64_t flags;
};

/* A test whose name is a C identifier. */
#define TMK_TEST(name, flags) TMK_TEST_NAMED(name, #name, flags)

/* A test with a name such as "common::boot". The function is called test_<identifier>. */
#define TMK_TEST_NAMED(identifier, test_name, test_flags)                                                               \
    static void test_##identifier(void);                                                                                \
    __attribute__((section("tmk_tests"), used, no_reorder)) struct tmk_test tmk_test_##identifier = {                   \
        .name = test_name,                                                                                              \
        .name_length = sizeof(test_name) - 1,                                                                           \
        .entry = test_##identifier,                                                                                     \
        .flags = test_flags,                                                                                            \
    };                                                                                                                  \
    static void test_##identifier(void)

/*
 * Sends one log message of up to 1024 bytes. The format is a part of printf's: %d %i %u %x %X %p %c %s %%, with l, ll or z,
 * the flags 0 and -, a width, and a precision for %s; either may be '*'.
 */
void tmk_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends bytes unchanged as one log message. */
void tmk_log_bytes(const char *bytes, size_t length);

/* Fails the test, with a message. */
#define tmk_panic(...) tmk_panic_at(__FILE__, __LINE__, __VA_ARGS__)

#define tmk_assert(condition)                                                                                           \
    do {                                                                                                                \
        if (!(condition))                                                                                               \
            tmk_panic("assertion failed: %s", #condition);                                                              \
    } while (0)

/* Compares two integers of up to 64 bits. */
#define tmk_expect_eq(actual, expected)                                                                                 \
    do {                                                                                                                \
        uint64_t tmk_actual = (uint64_t)(actual), tmk_expected = (uint64_t)(expected);                                  \
        if (tmk_actual != tmk_expected)                                                                                 \
            tmk_panic("%s is 0x%lx, expected 0x%lx", #actual, tmk_actual, tmk_expected);                                \
    } while (0)

void tmk_panic_at(const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* Ends the test at once. */
void tmk_complete(bool success) __attribute__((noreturn));

/* The 48 bytes of a command. Unused fields of a command may have any value. */
union tmk_command {
    uint32_t discriminant;
    struct {
        uint32_t discriminant;
        const char *message;
        uint64_t message_length;
    } log;
    struct {
        uint32_t discriminant;
        const char *message;
        uint64_t message_length;
        const char *file;
        uint64_t file_length;
        uint32_t line;
    } panic;
    struct {
        uint32_t discriminant;
        uint8_t success;
    } complete;
    uint64_t words[6];
};

enum { TMK_COMMAND_LOG = 0, TMK_COMMAND_PANIC = 1, TMK_COMMAND_COMPLETE = 2 };

/* Sends the address of a command to the monitor: for tests of the protocol itself. */
void tmk_send(const union tmk_command *command);

/* The command address: 0xffff0000. */
uint64_t tmk_command_address(void);

/*
 * Accesses to device memory. Each is one load or store of a general-purpose register without writeback, which is the kind
 * that a monitor can emulate (Arm ARM, ESR_EL2, "ISS encoding for an exception from a Data Abort": ISV).
 */
#define TMK_MMIO(bits, type, suffix, register)                                                                          \
    static inline type tmk_read##bits(uint64_t address)                                                                 \
    {                                                                                                                   \
        type value;                                                                                                     \
        __asm__ volatile("ldr" suffix " %" register "0, [%1]" : "=r"(value) : "r"(address) : "memory");                 \
        return value;                                                                                                   \
    }                                                                                                                   \
    static inline void tmk_write##bits(uint64_t address, type value)                                                    \
    {                                                                                                                   \
        __asm__ volatile("str" suffix " %" register "0, [%1]" : : "r"(value), "r"(address) : "memory");                 \
    }
TMK_MMIO(8, uint8_t, "b", "w")
TMK_MMIO(16, uint16_t, "h", "w")
TMK_MMIO(32, uint32_t, "", "w")
TMK_MMIO(64, uint64_t, "", "x")
#undef TMK_MMIO

/* System registers, by their name in the Arm ARM. */
#define tmk_sysreg_read(name)                                                                                           \
    ({                                                                                                                  \
        uint64_t tmk_value;                                                                                             \
        __asm__ volatile("mrs %0, " #name : "=r"(tmk_value));                                                           \
        tmk_value;                                                                                                      \
    })
#define tmk_sysreg_write(name, value) __asm__ volatile("msr " #name ", %0\n\tisb" : : "r"((uint64_t)(value)) : "memory")

void *memcpy(void *restrict destination, const void *restrict source, size_t count);
void *memmove(void *destination, const void *source, size_t count);
void *memset(void *destination, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);
size_t strlen(const char *string);

#endif
