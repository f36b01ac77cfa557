#include <stdarg.h>

#include "format.h"
#include "stack.h"
#include "tmk.h"

/* The protocol's limit for a log message. */
#define MESSAGE_BYTES 1024

#define STACK_POINTER ((uint64_t)__builtin_frame_address(0))

struct start_input {
    uint64_t command;
    uint64_t test_index;
};

_Static_assert(sizeof(struct start_input) == 16, "StartInput is 16 bytes");
_Static_assert(sizeof(struct tmk_test) == 32, "a test descriptor is 32 bytes");
_Static_assert(sizeof(union tmk_command) == 48, "a command is 48 bytes");

extern struct tmk_test tmk_tests_start[] __attribute__((visibility("hidden")));
extern struct tmk_test tmk_tests_end[] __attribute__((visibility("hidden")));

static uint64_t command_address;

uint64_t tmk_command_address(void)
{
    return command_address;
}

void tmk_send(const union tmk_command *command)
{
    tmk_write64(command_address, (uint64_t)command);
}

void tmk_log_bytes(const char *bytes, size_t length)
{
    union tmk_command command = {
        .log = { .discriminant = TMK_COMMAND_LOG, .message = bytes, .message_length = length },
    };
    tmk_send(&command);
}

void tmk_log(const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    size_t length = tmk_format(message, sizeof(message), format, arguments);
    va_end(arguments);
    tmk_log_bytes(message, length);
}

static void __attribute__((noreturn)) fault(void)
{
    for (;;)
        __asm__ volatile("brk #0");
}

void tmk_panic_at(const char *file, uint32_t line, const char *format, ...)
{
    static const char note[] = " (" TMK_STACK_OVERFLOW ")";
    char message[MESSAGE_BYTES + sizeof(note)];
    va_list arguments;
    va_start(arguments, format);
    size_t length = tmk_format(message, MESSAGE_BYTES, format, arguments);
    va_end(arguments);
    if (tmk_stack_overflowed(STACK_POINTER)) {
        memcpy(message + length, note, sizeof(note) - 1);
        length += sizeof(note) - 1;
    }
    union tmk_command command = {
        .panic = {
            .discriminant = TMK_COMMAND_PANIC,
            .message = message,
            .message_length = length,
            .file = file,
            .file_length = strlen(file),
            .line = line,
        },
    };
    tmk_send(&command);
    fault();
}

void tmk_complete(bool success)
{
    if (tmk_stack_overflowed(STACK_POINTER))
        tmk_panic("the test completed");
    union tmk_command command = { .complete = { .discriminant = TMK_COMMAND_COMPLETE, .success = success } };
    tmk_send(&command);
    tmk_panic("still running?");
}

/* Called by _start on its own stack, relocated. */
void tmk_main(const struct start_input *input)
{
    command_address = input->command;
    tmk_stack_guard();
    uint64_t count = (uint64_t)(tmk_tests_end - tmk_tests_start);
    if (input->test_index >= count)
        tmk_panic("there is no test %lu: the image has %lu", input->test_index, count);

    const struct tmk_test *test = &tmk_tests_start[input->test_index];
    tmk_log("running test %.*s", (int)test->name_length, test->name);
    test->entry();
    tmk_log("test %.*s completed", (int)test->name_length, test->name);
    tmk_complete(true);
}
