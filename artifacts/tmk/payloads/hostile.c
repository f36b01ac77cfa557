/* A guest whose words are meant for the terminal and the CI job of whoever tests it. Nothing of them may act there. */
#include "tmk.h"

#define ESC "\033"
#define TITLE ESC "]0;OWNED-TITLE\a"
#define CLIPBOARD ESC "]52;c;b3duZWQ=\a"
#define SCREEN ESC "[2J" ESC "[1A" ESC "[2K" ESC "[8m" ESC "c" ESC "(0\016"
/* CSI, OSC and ST as single characters, in UTF-8. */
#define C1 "\xc2\x9b" "2J" "\xc2\x9d" "0;OWNED-TITLE" "\xc2\x9c"
/* U+202E, U+2066, U+061C, U+2028, U+200B, U+E0041. */
#define UNICODE "\xe2\x80\xae" "\xe2\x81\xa6" "\xd8\x9c" "\xe2\x80\xa8" "\xe2\x80\x8b" "\xf3\xa0\x81\x81"
#define TERMINAL TITLE CLIPBOARD SCREEN C1 UNICODE "\b\x7f\v\f\r"

#define COMMANDS                                                                                                        \
    "\n::error file=owned.ts,line=1::owned\n  ::stop-commands::owned\n\xc2\xa0::add-mask::owned\r::warning::owned"      \
    "\n##[error]owned\na ##vso[task.setvariable variable=owned]owned\n##teamcity[buildProblem description='owned']\n"

#define FORGED                                                                                                          \
    "\ntest forged completed\n \xe2\x9c\x93 tests/forged.test.ts (1 test)\n Test Files  1 passed (1)\n"                 \
    "      Tests  1 passed (1)\n  ok   forged\n  remedy: owned\npetri: owned\n1970-01-01T00:00:00.000Z forged\n"

#define LITERAL(text) text, sizeof(text) - 1

static void panic_with(const char *message, size_t message_length, const char *file, size_t file_length)
{
    union tmk_command command = {
        .panic = {
            .discriminant = TMK_COMMAND_PANIC,
            .message = message,
            .message_length = message_length,
            .file = file,
            .file_length = file_length,
            .line = 3,
        },
    };
    tmk_send(&command);
}

TMK_TEST(panic_message, 0)
{
    panic_with(LITERAL(TERMINAL COMMANDS FORGED "</failure>]]>"), LITERAL("main.c"));
}

TMK_TEST(panic_file, 0)
{
    panic_with(LITERAL("message"), LITERAL("::error::" TERMINAL COMMANDS FORGED));
}

TMK_TEST(log_lines, 0)
{
    tmk_log_bytes(LITERAL(TERMINAL COMMANDS FORGED));
    tmk_complete(false);
}

/* What is left when control sequences are taken out once is a control sequence again. */
TMK_TEST(nested_sequences, 0)
{
    tmk_log_bytes(LITERAL(ESC ESC "[0m]0;OWNED-TITLE\a " ESC ESC "[0m]52;c;b3duZWQ=\a " ESC ESC "[0m[2J"));
    tmk_log_bytes(LITERAL(ESC "[\030" "31m " ESC ESC ESC "[0m[0m]0;OWNED-TITLE\a #" ESC "[0m#[error]owned"));
    tmk_complete(false);
}

/* Its name stands in the string table of the file, where a test puts worse. */
static void __attribute__((noinline)) symbol_that_a_test_replaces_with_worse(void)
{
    __asm__ volatile("brk #0");
}

TMK_TEST(symbol, 0)
{
    symbol_that_a_test_replaces_with_worse();
}

TMK_TEST_NAMED(name, "::error::owned ##[error]owned ##vso[owned]owned \xe2\x80\xaeowned\xe2\x80\xa8owned", 0)
{
    tmk_complete(false);
}
