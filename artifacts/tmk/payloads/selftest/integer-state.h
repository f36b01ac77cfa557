/* How forms of integer instructions are called. */
#ifndef INTEGER_STATE_H
#define INTEGER_STATE_H

#include "forms.h"

/* Loaded before a form and stored after it. */
struct integer_state {
    uint64_t x[8];
    uint64_t nzcv;
};

void run_integer(const void *code, struct integer_state *state);

#endif
