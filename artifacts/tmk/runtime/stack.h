/* Overflow of the stack. The image begins with the stack, so what is below it is not the TMK's memory. */
#ifndef TMK_STACK_H
#define TMK_STACK_H

#include <stdbool.h>
#include <stdint.h>

#define TMK_STACK_OVERFLOW "the stack has overflowed"

extern char tmk_stack[] __attribute__((visibility("hidden")));

/* Fills the lowest words of the stack, which no test should reach. */
void tmk_stack_guard(void);

/* Whether something was written there, or lies just below the stack. @param address a stack pointer, or what was accessed */
bool tmk_stack_overflowed(uint64_t address);

#endif
