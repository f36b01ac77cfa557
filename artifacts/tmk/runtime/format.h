/* The part of printf that tests need. Writes no terminating NUL. */
#ifndef TMK_FORMAT_H
#define TMK_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Returns the bytes written; what does not fit is dropped. */
size_t tmk_format(char *buffer, size_t capacity, const char *format, va_list arguments);

#endif
