#include "stack.h"

#define CANARY_WORDS 16
#define CANARY 0x6b63617473626174ul
/* What a monitor keeps free below the image, and gcc assumes where it probes large frames. */
#define GUARD_BYTES 0x10000ul

void tmk_stack_guard(void)
{
    volatile uint64_t *words = (volatile uint64_t *)tmk_stack;
    for (unsigned i = 0; i < CANARY_WORDS; i++)
        words[i] = CANARY;
}

bool tmk_stack_overflowed(uint64_t address)
{
    volatile uint64_t *words = (volatile uint64_t *)tmk_stack;
    for (unsigned i = 0; i < CANARY_WORDS; i++) {
        if (words[i] != CANARY)
            return true;
    }
    return (uint64_t)tmk_stack - address - 1 < GUARD_BYTES;
}
