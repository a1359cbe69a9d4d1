/* What the function's process has of the launcher: a session, signals and descriptors that are as a program expects. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

int leave_session(struct launch *launch)
{
    (void)launch;
    return setsid() < 0 ? -1 : 0;
}

int reset_signals(struct launch *launch)
{
    (void)launch;
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * 0 empty, 1 and 2 output, 3 log records, and 4 where orders come from if the process is to wait for some. A zygote
 * gets its requests as 3, and as 4 the end of a channel that tells the launcher of its death.
 */
int arrange_descriptors(struct launch *launch)
{
    bool is_zygote = launch->wanted.is_zygote;
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int sources[FIRST_UNUSED_DESCRIPTOR] = {empty, launch->output, launch->output,
                                            is_zygote ? launch->zygote : launch->telemetry,
                                            is_zygote ? launch->inside : launch->orders_in};
    /* Copies out of the way first: a source may have the very number that another one is to get. */
    for (int i = 0; i < FIRST_UNUSED_DESCRIPTOR; i++)
        if (sources[i] >= 0 && (sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)) < 0)
            return -1;
    close(empty);
    for (int i = 0; i < FIRST_UNUSED_DESCRIPTOR; i++)
        if (sources[i] < 0 ? close(i) < 0 && errno != EBADF : dup2(sources[i], i) < 0)
            return -1;
    /* Closed by the exec, not now: a failing exec is still to be told. */
    return (int)syscall(SYS_close_range, FIRST_UNUSED_DESCRIPTOR, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* Process 1 must not keep the pipes open that end with the function's process. */
void close_function_ends(struct launch *launch)
{
    int *const ends[] = {&launch->output, &launch->telemetry, &launch->orders_in};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (*ends[i] >= 0)
            close(*ends[i]);
        *ends[i] = -1;
    }
}
