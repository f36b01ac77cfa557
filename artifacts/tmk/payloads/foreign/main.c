/* A TMK without exception vectors, as those of others are: what it starts with, and the mistakes of the payloads faults and holes. */
#include "tmk.h"

/* Filled by start.S. */
extern uint64_t start_state[64] __attribute__((visibility("hidden")));
extern uint64_t start_vectors[64] __attribute__((visibility("hidden")));

/* In the order of start.S. MDSCR_EL1 is what the monitor makes it; bits 63:32 and 24 to 30 of MPIDR_EL1 depend on the machine. */
static const struct {
    char name[16];
    uint64_t value, mask;
} expected[30] = {
    { "SP_EL0", 0, ~0ul },          { "CurrentEL", 1 << 2, ~0ul },     { "DAIF", 0x3c0, ~0ul },
    { "SPSel", 1, ~0ul },           { "NZCV", 0, ~0ul },               { "SCTLR_EL1", 0xc50878, ~0ul },
    { "CPACR_EL1", 0, ~0ul },       { "VBAR_EL1", 0, ~0ul },           { "TCR_EL1", 0, ~0ul },
    { "TTBR0_EL1", 0, ~0ul },       { "TTBR1_EL1", 0, ~0ul },          { "MAIR_EL1", 0, ~0ul },
    { "ESR_EL1", 0, ~0ul },         { "FAR_EL1", 0, ~0ul },            { "ELR_EL1", 0, ~0ul },
    { "SPSR_EL1", 0, ~0ul },        { "CONTEXTIDR_EL1", 0, ~0ul },     { "MPIDR_EL1", 0x80000000, 0x80ffffff },
    { "TPIDR_EL0", 0, ~0ul },       { "TPIDRRO_EL0", 0, ~0ul },        { "CNTKCTL_EL1", 0, ~0ul },
    { "MDSCR_EL1", 0, 0 },          { "PAR_EL1", 0, ~0ul },            { "CSSELR_EL1", 0, ~0ul },
    { "CNTV_CTL_EL0", 0, ~0ul },    { "AMAIR_EL1", 0, ~0ul },          { "AFSR0_EL1", 0, ~0ul },
    { "AFSR1_EL1", 0, ~0ul },       { "FPCR", 0, ~0ul },               { "FPSR", 0, ~0ul },
};

TMK_TEST(start_registers, 0)
{
    for (unsigned n = 1; n < 31; n++) {
        if (start_state[n] != 0)
            tmk_panic("X%u is 0x%lx at the start", n, start_state[n]);
    }
    tmk_expect_eq(start_state[31], 0);
    tmk_assert(start_state[0] % 4096 == 0);
}

TMK_TEST(start_vector_registers, 0)
{
    for (unsigned n = 0; n < 64; n++) {
        if (start_vectors[n] != 0)
            tmk_panic("half %u of V%u is 0x%lx at the start", n % 2, n / 2, start_vectors[n]);
    }
}

TMK_TEST(start_system_registers, 0)
{
    for (unsigned n = 0; n < 30; n++)
        tmk_log("%.16s 0x%lx", expected[n].name, start_state[32 + n]);
    for (unsigned n = 0; n < 30; n++) {
        uint64_t value = start_state[32 + n] & expected[n].mask;
        if (value != expected[n].value)
            tmk_panic("%.16s is 0x%lx at the start, expected 0x%lx", expected[n].name, value, expected[n].value);
    }
}

/* Memory that the image does not bring: from behind the page of StartInput, which is the last of it. */
TMK_TEST(start_memory, 0)
{
    const uint64_t *input = (const uint64_t *)start_state[0];
    for (unsigned n = 2; n < 0x40000 / sizeof(*input); n++) {
        if (input[n] != 0)
            tmk_panic("0x%lx is at 0x%lx at the start", input[n], (uint64_t)&input[n]);
    }
}

#include "../faults.c"
#undef FAULTS
#include "../holes.c"
