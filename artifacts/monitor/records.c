/*
 * Records: a header, a body of the length that the header says, and a CRC-32 (that of zlib) of both. Strings of the guest are inside
 * of bodies, so nothing that it writes can begin a record.
 */
#include "machine.h"

#define RECORD_MAGIC 0x4b4d5450u

struct header {
    uint32_t magic;
    uint32_t type;
    /* Counts records from 0. */
    uint32_t number;
    uint32_t length;
};

static uint32_t checksum;

static void add(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    uint32_t crc = checksum;
    size_t left = count;
    for (; left > 0 && ((uint64_t)at & 7) != 0; left--, at++)
        __asm__("crc32b %w0, %w0, %w1" : "+r"(crc) : "r"(*at));
    for (; left >= 8; left -= 8, at += 8)
        __asm__("crc32x %w0, %w0, %x1" : "+r"(crc) : "r"(*(const uint64_t *)at));
    for (; left > 0; left--, at++)
        __asm__("crc32b %w0, %w0, %w1" : "+r"(crc) : "r"(*at));
    checksum = crc;
    channel_write(bytes, count);
}

void record_begin(enum record_type type, size_t length)
{
    static uint32_t number;
    struct header header = { RECORD_MAGIC, type, number++, (uint32_t)length };
    checksum = ~0u;
    add(&header, sizeof(header));
}

void record_add(const void *bytes, size_t count)
{
    add(bytes, count);
}

void record_add_word(uint64_t word)
{
    add(&word, sizeof(word));
}

void record_end(void)
{
    uint32_t crc = ~checksum;
    channel_write(&crc, sizeof(crc));
    channel_flush();
}
