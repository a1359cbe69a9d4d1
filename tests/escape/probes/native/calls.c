/*
 * calls STEP...: system calls one after the other in one process, for languages that can't make them themselves.
 *
 * A step is "NUMBER ARGUMENT..."; an argument is a number, s:TEXT, x:HEX (a buffer with that content), z:SIZE (zeros)
 * or $K (the result of step K, from 0). Prints [[result, error, "content of the first buffer in hex"], ...].
 * After a call that made a process, the new process ends.
 */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_STEPS = 32, MOST_ARGUMENTS = 6, SHOWN_BYTES = 256 };

struct buffer {
    unsigned char *bytes;
    size_t size;
};

static struct buffer from_hex(const char *text)
{
    struct buffer made = {calloc(1, strlen(text) / 2 + 8), strlen(text) / 2};
    for (size_t i = 0; i < made.size; i++) {
        unsigned value;
        sscanf(text + 2 * i, "%2x", &value);
        made.bytes[i] = (unsigned char)value;
    }
    return made;
}

static long argument_of(const char *word, const long *results, struct buffer *buffer)
{
    struct buffer made = {NULL, 0};
    if (strncmp(word, "s:", 2) == 0)
        return (long)(word + 2);
    if (word[0] == '$')
        return results[atoi(word + 1)];
    if (strncmp(word, "x:", 2) == 0)
        made = from_hex(word + 2);
    else if (strncmp(word, "z:", 2) == 0)
        made = (struct buffer){calloc(1, (size_t)atol(word + 2) + 8), (size_t)atol(word + 2)};
    else
        return (long)strtoull(word, NULL, 0);
    if (buffer->bytes == NULL)
        *buffer = made;
    return (long)made.bytes;
}

static void print_buffer(const struct buffer *buffer)
{
    for (size_t i = 0; i < buffer->size && i < SHOWN_BYTES; i++)
        printf("%02x", buffer->bytes[i]);
}

int run_calls(int count, char **steps)
{
    long results[MOST_STEPS] = {0};
    printf("[");
    for (int i = 0; i < count && i < MOST_STEPS; i++) {
        struct buffer buffer = {NULL, 0};
        long words[MOST_ARGUMENTS] = {0};
        int given = 0;
        fflush(stdout);
        char *place, *word = strtok_r(steps[i], " ", &place);
        long number = strtol(word, NULL, 0);
        while ((word = strtok_r(NULL, " ", &place)) != NULL && given < MOST_ARGUMENTS)
            words[given++] = argument_of(word, results, &buffer);
        errno = 0;
        results[i] = syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
        int error = errno;
        bool makes_process = number == SYS_clone || number == SYS_clone3;
        if (makes_process && results[i] == 0)
            _exit(0);
        printf("%s[%ld, %d, \"", i > 0 ? ", " : "", results[i], results[i] < 0 ? error : 0);
        print_buffer(&buffer);
        printf("\"]");
    }
    printf("]\n");
    return 0;
}
