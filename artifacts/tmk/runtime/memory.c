/* Functions that the compiler calls itself. Compiled so that it does not turn their own loops into such calls. */
#include <stddef.h>
#include <stdint.h>

#include "tmk.h"

static int same_alignment(const void *left, const void *right)
{
    return (((uintptr_t)left ^ (uintptr_t)right) & 7) == 0;
}

/* Words may hold any type: access through one that may alias. */
typedef uint64_t __attribute__((may_alias)) word;

void *memcpy(void *restrict destination, const void *restrict source, size_t count)
{
    uint8_t *to = destination;
    const uint8_t *from = source;
    if (same_alignment(to, from)) {
        for (; count > 0 && ((uintptr_t)to & 7) != 0; count--)
            *to++ = *from++;
        for (; count >= 8; count -= 8, to += 8, from += 8)
            *(word *)to = *(const word *)from;
    }
    for (; count > 0; count--)
        *to++ = *from++;
    return destination;
}

void *memmove(void *destination, const void *source, size_t count)
{
    uint8_t *to = destination;
    const uint8_t *from = source;
    if ((uintptr_t)to - (uintptr_t)from >= count)
        return memcpy(destination, source, count);
    for (; count > 0; count--)
        to[count - 1] = from[count - 1];
    return destination;
}

void *memset(void *destination, int value, size_t count)
{
    uint8_t *to = destination;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;
    for (; count > 0 && ((uintptr_t)to & 7) != 0; count--)
        *to++ = (uint8_t)value;
    for (; count >= 8; count -= 8, to += 8)
        *(word *)to = pattern;
    for (; count > 0; count--)
        *to++ = (uint8_t)value;
    return destination;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const uint8_t *a = left, *b = right;
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *string)
{
    size_t length = 0;
    while (string[length] != 0)
        length++;
    return length;
}
