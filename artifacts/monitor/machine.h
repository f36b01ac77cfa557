/* Shared by the parts of the monitor: access to the machine, and their interfaces. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYSREG_READ(name) ({ uint64_t value; __asm__ volatile("mrs %0, " #name : "=r"(value)); value; })
#define SYSREG_WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))

static inline uint32_t mmio_read(uint64_t address)
{
    uint32_t value;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void mmio_write(uint64_t address, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void barrier(void)
{
    __asm__ volatile("dmb sy" : : : "memory");
}

void *memcpy(void *restrict destination, const void *restrict source, size_t count);
void *memset(void *destination, int value, size_t count);

/* Ends the monitor with a message on its own UART. */
void __attribute__((noreturn)) die(const char *why, uint64_t value);

/* interrupts.c: wakes the PE. Interrupts are never taken, and never reach the guest. */
enum wake { WAKE_CHANNEL, WAKE_TIMERS };
void interrupts_init(void);
/* Sleeps until a source of that kind is pending. The channel's must be cleared at its device. */
void sleep_for(enum wake source);

/* channel.c: a byte stream in each direction, over a virtio serial port. */
void channel_init(void);
/* Waits while the reader is behind. The bytes are copied. */
void channel_write(const void *bytes, size_t count);
/* Notifies the device of what was written. */
void channel_flush(void);
/* Waits for all of the bytes. */
void channel_read(void *bytes, size_t count);

/* records.c: the monitor's output, framed so that no byte of the guest can be taken for it. */
enum record_type {
    RECORD_READY = 1,
    RECORD_COMMAND = 2,
    RECORD_STATE = 3,
    RECORD_FAULT = 4,
    RECORD_POWER_OFF = 5,
    RECORD_RESET = 6,
    RECORD_UNSERVED = 7,
};
void record_begin(enum record_type type, size_t length);
void record_add(const void *bytes, size_t count);
void record_add_word(uint64_t word);
void record_end(void);

#endif
