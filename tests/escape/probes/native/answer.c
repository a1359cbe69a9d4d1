/* What a probe tells: one line of JSON, each attempt made in a child of its own. */
#include "native.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 18, EVIDENCE_BYTES = 200 };

static char told[MOST_BYTES];
static size_t length;

static void escape_into(char *goal, size_t size, const char *text)
{
    size_t at = 0;
    for (; *text != '\0' && at + 2 < size; text++) {
        if (*text == '"' || *text == '\\')
            goal[at++] = '\\';
        goal[at++] = *text < ' ' ? ' ' : *text;
    }
    goal[at] = '\0';
}

void tell(const char *name, bool is_open, const char *format, ...)
{
    char evidence[EVIDENCE_BYTES], safe[2 * EVIDENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(evidence, sizeof evidence, format, arguments);
    va_end(arguments);
    escape_into(safe, sizeof safe, evidence);
    if (length + strlen(name) + strlen(safe) + 100 < sizeof told)
        length += (size_t)snprintf(told + length, sizeof told - length,
                                   "%s{\"name\": \"%s\", \"open\": %s, \"evidence\": \"%s\"}", length > 0 ? ", " : "",
                                   name, is_open ? "true" : "false", safe);
}

void attempt(const char *name, action action, const void *argument)
{
    long result[2] = {0, 0};
    int ends[2], status;
    if (pipe(ends) < 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        errno = 0;
        result[0] = action(argument);
        result[1] = errno;
        _exit(write(ends[1], result, sizeof result) < 0);
    }
    close(ends[1]);
    ssize_t count = read(ends[0], result, sizeof result);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (count != (ssize_t)sizeof result)
        tell(name, false, "killed by signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    else if (result[0] < 0)
        tell(name, false, "%s", strerror((int)result[1]));
    else
        tell(name, true, "returned %ld", result[0]);
}

void print_answer(const char *run)
{
    printf("\nESCAPE {\"probe\": \"%s\", \"attempts\": [%s], \"broken\": \"%s\"}\n", run, told,
           length > 0 ? "" : "no such probe");
    fflush(stdout);
}
