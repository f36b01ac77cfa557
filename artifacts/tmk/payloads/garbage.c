/* What a monitor must survive: commands that are not commands. A command that cannot be read is noted and changes nothing. */
#include "tmk.h"

static void still_here(const char *after)
{
    tmk_log("still here after %s", after);
}

static void send_words(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4, uint64_t w5)
{
    union tmk_command command = { .words = { w0, w1, w2, w3, w4, w5 } };
    tmk_send(&command);
}

static void send_log(uint64_t message, uint64_t length)
{
    send_words(TMK_COMMAND_LOG, message, length, 0, 0, 0);
}

TMK_TEST(bad_discriminants, 0)
{
    static const uint32_t discriminants[] = { 3, 4, 0xff, 0x100, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };
    for (unsigned i = 0; i < sizeof(discriminants) / sizeof(discriminants[0]); i++)
        send_words(discriminants[i], (uint64_t)"text", 4, 0, 0, 0);
    still_here("bad discriminants");
}

TMK_TEST(bad_bools, 0)
{
    for (uint64_t success = 2; success < 256; success++)
        send_words(TMK_COMMAND_COMPLETE | success << 32, 0, 0, 0, 0, 0);
    still_here("bad bools");
}

/* Where a command is not: outside of RAM, across its end, at the top of the address space. */
static const uint64_t nowhere[] = {
    0xfe000000,         0xffff0000,         0xfffffff8,         0x100000000,        0x847ff000,
    0x7fffffffffff,     0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffd0, 0xffffffffffffffff,
};

TMK_TEST(bad_command_pointers, 0)
{
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        tmk_write64(tmk_command_address(), nowhere[i]);
    still_here("bad command pointers");
}

TMK_TEST(bad_string_pointers, 0)
{
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        send_log(nowhere[i], 16);
        send_words(TMK_COMMAND_PANIC, nowhere[i], 16, (uint64_t)"file", 4, 1);
        send_words(TMK_COMMAND_PANIC, (uint64_t)"text", 4, nowhere[i], 16, 1);
    }
    still_here("bad string pointers");
}

TMK_TEST(bad_lengths, 0)
{
    static const uint64_t lengths[] = {
        0x10001,            0x100000,           0x7fffffff,         0x80000000,         0xffffffff,         0x100000000,
        0x20000000000000,   0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
    };
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        send_log((uint64_t)"text", lengths[i]);
        send_words(TMK_COMMAND_PANIC, (uint64_t)"text", lengths[i], (uint64_t)"file", 4, 1);
        /* Address plus length wraps around. */
        send_log(0xffffffffffffff00, lengths[i]);
    }
    still_here("bad lengths");
}

TMK_TEST(bad_utf8, 0)
{
    static const char *const strings[] = {
        "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "good \xe2\x98 bad",
    };
    for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        send_log((uint64_t)strings[i], strlen(strings[i]));
    still_here("bad UTF-8");
}

/* Valid, if strange: no message at all, NULs, escape sequences, a pointer to nothing with a length of none. */
TMK_TEST(strange_strings, 0)
{
    tmk_log_bytes("", 0);
    send_log(0xffffffffffffffff, 0);
    tmk_log_bytes("a\0b\0", 4);
    tmk_log_bytes("\033[31mred\033[0m\033]0;title\007", 22);
    tmk_log_bytes("\r\n\r\r\n", 5);
    tmk_log_bytes("\xef\xbb\xbf" "byte order mark", 18);
    still_here("strange strings");
}

/* The command address takes stores of eight bytes. */
TMK_TEST(odd_stores, 0)
{
    uint64_t address = tmk_command_address();
    tmk_write8(address, 0xff);
    tmk_write16(address, 0xffff);
    tmk_write32(address, 0xffffffff);
    tmk_write64(address + 8, 0);
    tmk_write64(address - 8, 0);
    __asm__ volatile("str xzr, [%0]" : : "r"(address) : "memory");
    still_here("odd stores");
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64* (Vigna): the same numbers every time. */
static uint64_t random_word(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1d;
}

/* Twenty thousand random blocks. Bools are kept from being valid, so that nothing completes; addresses from being RAM by their top bit. */
TMK_TEST(random_blocks, 0)
{
    for (unsigned i = 0; i < 20000; i++) {
        union tmk_command command;
        for (unsigned word = 0; word < 6; word++)
            command.words[word] = random_word();
        command.words[0] = (random_word() & 3) | (command.words[0] << 32 | 1ul << 39);
        command.words[1] |= 1ul << 63;
        command.words[2] |= 1;
        tmk_send(&command);
    }
    still_here("random blocks");
}

/* After all of that a real panic is still one. */
TMK_TEST(garbage_then_panic, TMK_EXPECTED_FAILURE)
{
    send_words(0xffffffff, 0, 0, 0, 0, 0);
    send_log(0x8000000000000000, 0x8000000000000000);
    tmk_panic("on purpose");
}
