/* Stack overflow. The image starts with the stack, so memory below it does not belong to the TMK. */
#ifndef TMK_STACK_H
#define TMK_STACK_H

#include <stdbool.h>
#include <stdint.h>

#define TMK_STACK_OVERFLOW "the stack has overflowed"

extern char tmk_stack[] __attribute__((visibility("hidden")));

/* Fills the lowest words of the stack, which no test should reach. */
void tmk_stack_guard(void);

/* Whether they were overwritten, or an address is just below the stack. @param address a stack pointer or accessed address */
bool tmk_stack_overflowed(uint64_t address);

#endif
