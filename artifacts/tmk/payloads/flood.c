/* Prints faster than anyone reads. Each line is a full log message of the protocol: its number, a pattern, and a line end. */
#include "tmk.h"

#define LINE_BYTES 1024

static char line[LINE_BYTES];

static void flood(uint64_t bytes)
{
    for (unsigned i = 0; i < LINE_BYTES; i++)
        line[i] = (char)('!' + i % 94);
    for (uint64_t number = 0; number < bytes / LINE_BYTES; number++) {
        uint64_t digits = number;
        for (int i = 9; i >= 0; i--) {
            line[i] = (char)('0' + digits % 10);
            digits /= 10;
        }
        line[10] = ' ';
        tmk_log_bytes(line, LINE_BYTES);
    }
}

TMK_TEST(log_1mb, 0)
{
    flood(1 << 20);
}

TMK_TEST(log_16mb, 0)
{
    flood(16 << 20);
}

TMK_TEST(log_200mb, 0)
{
    flood(200ul << 20);
}

/* A hundred thousand lines of a few bytes each. */
TMK_TEST(log_short_lines, 0)
{
    for (unsigned number = 0; number < 100000; number++)
        tmk_log("%u", number);
}

/* Messages of every length from none to the protocol's bound. */
TMK_TEST(log_every_length, 0)
{
    for (unsigned i = 0; i < LINE_BYTES; i++)
        line[i] = (char)('a' + i % 26);
    for (unsigned length = 0; length <= LINE_BYTES; length++)
        tmk_log_bytes(line, length);
}
