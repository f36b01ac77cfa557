/*
 * Tests of single instructions. Each line of
 *
 *     FORM("adds x0, x1, x2", 0x0123456789abcdef);
 *
 * runs the instruction, or a few of them, on a table of operands and folds what comes out into a digest. The digests are
 * those that another machine gives (reference/record-digests.mjs writes them here from QEMU). A form that differs is logged,
 * and the test goes on to the next, so that one run tells everything.
 *
 * A file that includes this defines RUN_FORM(code), which gives the digest of the code at an address.
 */
#ifndef TMK_FORMS_H
#define TMK_FORMS_H

#include "tmk.h"

static unsigned forms_run, forms_wrong;

/* FNV-1a over words, with a shift that mixes high bits into low ones. */
static inline uint64_t fold(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * 0x100000001b3;
    return digest ^ digest >> 29;
}

#define DIGEST_START 0xcbf29ce484222325

static inline void form_result(const char *file, unsigned line, const char *text, uint64_t digest, uint64_t expected)
{
    forms_run++;
    if (digest == expected)
        return;
    forms_wrong++;
    tmk_log("%s:%u: digest 0x%016lx, expected 0x%016lx: %s", file, line, digest, expected, text);
}

/* The code lies in a section of its own and ends with a return. */
#define FORM_CODE(text)                                                                                                 \
    ({                                                                                                                  \
        const void *form_code;                                                                                          \
        __asm__("adrp %0, 77f\n\tadd %0, %0, :lo12:77f\n\t"                                                             \
                ".pushsection .text.forms, \"ax\"\n\t.balign 4\n77:\t" text "\n\tret\n\t.popsection"                    \
                : "=r"(form_code));                                                                                     \
        form_code;                                                                                                      \
    })

#define FORM(text, expected) form_result(__FILE__, __LINE__, text, RUN_FORM(FORM_CODE(text)), expected)

/* To be called after the last form of a test. */
static inline void forms_end(void)
{
    tmk_log("%u forms", forms_run);
    if (forms_wrong != 0)
        tmk_panic("%u of %u forms differ", forms_wrong, forms_run);
}

#endif
