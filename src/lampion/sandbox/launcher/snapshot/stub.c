/*
 * Process 1 of an environment that was copied from a snapshot: a copy of the function became this program and was left
 * with nothing of it but attributes that seal.c found to be plain. It runs behind the function's own filter.
 */
#include "snapshot.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int close_all_else(struct launch *launch)
{
    if (launch->inside > 0 && syscall(SYS_close_range, 0U, (unsigned)launch->inside - 1, 0U) < 0)
        return -1;
    return (int)syscall(SYS_close_range, (unsigned)launch->inside + 1, ~0U, 0U);
}

/* SIGCHLD above all: who ignores it never learns how a child ended. */
static int take_signals_in_hand(struct launch *launch)
{
    sigset_t all;
    (void)launch;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -1;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    return 0;
}

static int settle_down(struct launch *launch)
{
    (void)launch;
    umask(0);
    return chdir("/");
}

static const struct step stub_steps[] = {
    {"closed", close_to_others},
    {"descriptors", close_all_else},
    {"signals", take_signals_in_hand},
    {"place", settle_down},
    {"privileges", drop_privileges},
    /* Once more: a change of ids may undo it. */
    {"still-closed", close_to_others},
    {NULL, NULL},
};

int run_stub(struct launch *launch, const char *channel, const char *function)
{
    launch->inside = atoi(channel);
    launch->function = atoi(function);
    launch->wanted.has_user_namespace = launch->wanted.has_keeper = true;
    rename_init(launch);
    const char *failed = take_steps(stub_steps, launch);
    if (failed != NULL) {
        send_error(launch->inside, failed, launch, errno);
        return 1;
    }
    if (send_message(launch->inside, "here", NULL, 0) < 0)
        return 1;
    return keep_house(launch);
}
