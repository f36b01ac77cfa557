/* How forms of SIMD and floating-point instructions are called, and the operands they get. */
#ifndef VECTOR_STATE_H
#define VECTOR_STATE_H

#include "forms.h"

/* Loaded before a form and stored after it. */
struct vector_state {
    uint64_t x[4];
    uint64_t nzcv;
    uint64_t fpsr;
    uint64_t v[5][2];
};

void run_vector(const void *code, struct vector_state *state);

typedef uint64_t operand_table[8][2];

extern const operand_table integer_operands;
extern const operand_table double_operands;
extern const operand_table single_operands;

/* FPSR.QC. The cumulative exception bits are left out: they are a test of their own. */
#define FPSR_QC (1ul << 27)

static inline uint64_t fold_state(uint64_t digest, const struct vector_state *state)
{
    for (unsigned n = 0; n < 4; n++)
        digest = fold(digest, state->x[n]);
    for (unsigned n = 0; n < 5; n++)
        digest = fold(fold(digest, state->v[n][0]), state->v[n][1]);
    return fold(fold(digest, state->nzcv), state->fpsr & FPSR_QC);
}

/* Every pair of operands in V1 and V2; V0, V3 and V4 have others, X1 has one half of V2. */
static inline uint64_t digest_of(const void *code, const operand_table operands)
{
    uint64_t digest = DIGEST_START;
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned j = 0; j < 8; j++) {
            static const uint8_t strides[5][2] = { { 3, 5 }, { 1, 0 }, { 0, 1 }, { 5, 3 }, { 1, 6 } };
            struct vector_state state = { .x = { 0, operands[j][i & 1] }, .nzcv = (uint64_t)((5 * i + j) & 15) << 28 };
            for (unsigned n = 0; n < 5; n++) {
                const uint64_t *operand = operands[(strides[n][0] * i + strides[n][1] * j) & 7];
                state.v[n][0] = operand[0];
                state.v[n][1] = operand[1];
            }
            run_vector(code, &state);
            digest = fold_state(digest, &state);
        }
    }
    return digest;
}

#endif
