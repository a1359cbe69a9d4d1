/* Just enough JSON: the targets are written by the suite, flat but for lists of numbers. */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *targets, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *found = strstr(targets, quoted);
    return found == NULL ? "" : found + strlen(quoted);
}

long number_in(const char *targets, const char *key)
{
    const char *value = value_of(targets, key);
    return strncmp(value, "true", 4) == 0 ? 1 : strtol(value, NULL, 10);
}

const char *text_in(const char *targets, const char *key, char *buffer, int size)
{
    const char *value = value_of(targets, key);
    int length = 0;
    if (*value == '"')
        for (value++; *value != '"' && *value != '\0' && length < size - 1; value++)
            buffer[length++] = *value;
    buffer[length] = '\0';
    return buffer;
}

bool is_null(const char *targets, const char *key)
{
    return strncmp(value_of(targets, key), "null", 4) == 0;
}

bool list_holds(const char *targets, const char *key, long wanted)
{
    const char *value = value_of(targets, key);
    if (*value != '[')
        return false;
    while (*value != ']' && *value != '\0') {
        char *end;
        value++;
        if (strtol(value, &end, 10) == wanted && end != value)
            return true;
        value = strpbrk(end, ",]");
        if (value == NULL)
            return false;
    }
    return false;
}
