#include "format.h"

#include <stdbool.h>
#include <stdint.h>

#include "tmk.h"

struct output {
    char *buffer;
    size_t capacity;
    size_t length;
};

struct conversion {
    bool left;
    bool zero;
    size_t width;
    size_t precision;
};

static void put(struct output *output, char character)
{
    if (output->length < output->capacity)
        output->buffer[output->length++] = character;
}

static void pad(struct output *output, char character, size_t width, size_t length)
{
    for (; length < width; length++)
        put(output, character);
}

static void put_text(struct output *output, const struct conversion *conversion, const char *text, size_t length)
{
    if (!conversion->left)
        pad(output, ' ', conversion->width, length);
    for (size_t i = 0; i < length; i++)
        put(output, text[i]);
    if (conversion->left)
        pad(output, ' ', conversion->width, length);
}

static void put_number(struct output *output, const struct conversion *conversion, uint64_t value, unsigned base,
                       const char *digits, bool negative)
{
    char text[20];
    size_t start = sizeof(text);
    do {
        text[--start] = digits[value % base];
        value /= base;
    } while (value != 0);
    size_t length = sizeof(text) - start + negative;
    if (!conversion->left && !conversion->zero)
        pad(output, ' ', conversion->width, length);
    if (negative)
        put(output, '-');
    if (conversion->zero && !conversion->left)
        pad(output, '0', conversion->width, length);
    for (size_t i = start; i < sizeof(text); i++)
        put(output, text[i]);
    if (conversion->left)
        pad(output, ' ', conversion->width, length);
}

static size_t bounded_length(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length] != 0)
        length++;
    return length;
}

/* va_list is passed by address: a callee with a copy would not advance the caller's. */
struct arguments {
    va_list list;
};

static size_t read_count(const char **format, struct arguments *arguments)
{
    if (**format == '*') {
        ++*format;
        int count = va_arg(arguments->list, int);
        return count < 0 ? 0 : (size_t)count;
    }
    size_t count = 0;
    for (; **format >= '0' && **format <= '9'; ++*format)
        count = count * 10 + (size_t)(**format - '0');
    return count;
}

static void convert(struct output *output, const char **format, struct arguments *arguments)
{
    struct conversion conversion = { .precision = SIZE_MAX };
    for (;; ++*format) {
        if (**format == '-')
            conversion.left = true;
        else if (**format == '0')
            conversion.zero = true;
        else
            break;
    }
    conversion.width = read_count(format, arguments);
    if (**format == '.') {
        ++*format;
        conversion.precision = read_count(format, arguments);
    }
    bool wide = false;
    for (; **format == 'l' || **format == 'z'; ++*format)
        wide = true;

    char kind = **format;
    switch (kind) {
    case 'd':
    case 'i': {
        int64_t value = wide ? va_arg(arguments->list, int64_t) : va_arg(arguments->list, int);
        put_number(output, &conversion, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, "0123456789", value < 0);
        break;
    }
    case 'u':
    case 'x':
    case 'X': {
        uint64_t value = wide ? va_arg(arguments->list, uint64_t) : va_arg(arguments->list, unsigned);
        const char *digits = kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        put_number(output, &conversion, value, kind == 'u' ? 10 : 16, digits, false);
        break;
    }
    case 'p':
        put(output, '0');
        put(output, 'x');
        put_number(output, &conversion, (uint64_t)va_arg(arguments->list, void *), 16, "0123456789abcdef", false);
        break;
    case 'c': {
        char character = (char)va_arg(arguments->list, int);
        put_text(output, &conversion, &character, 1);
        break;
    }
    case 's': {
        const char *text = va_arg(arguments->list, const char *);
        put_text(output, &conversion, text, bounded_length(text, conversion.precision));
        break;
    }
    case 0:
        return;
    default:
        put(output, kind);
        break;
    }
    ++*format;
}

size_t tmk_format(char *buffer, size_t capacity, const char *format, va_list list)
{
    struct output output = { .buffer = buffer, .capacity = capacity };
    struct arguments arguments;
    va_copy(arguments.list, list);
    while (*format != 0) {
        char character = *format++;
        if (character == '%')
            convert(&output, &format, &arguments);
        else
            put(&output, character);
    }
    va_end(arguments.list);
    return output.length;
}
