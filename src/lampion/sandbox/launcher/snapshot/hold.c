/*
 * Holding the process that ran INIT: from where it waits for its snapshot on to the fork that it then calls, at whose
 * entry it stays for ever.
 */
#include "snapshot.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

long ptrace(int request, ...); /* <sys/ptrace.h> and <linux/ptrace.h> clash */

enum {
    OPTIONS = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
    FORK_FLAGS = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
    CALL_STOP = SIGTRAP | 0x80,
    EVENT_SHIFT = 16,
    GRACE_MILLISECONDS = 1000,
};

/* The only child of process 1. */
static int find_function(struct supervisor *supervisor)
{
    char path[64], text[256], *end;
    int init = supervisor->launch->init;
    snprintf(path, sizeof path, "task/%d/children", init);
    if (read_proc(init, path, text, sizeof text) < 0)
        return refuse_because(supervisor, "the sandbox has ended");
    supervisor->held = (pid_t)strtol(text, &end, 10);
    if (supervisor->held <= 0)
        return refuse_because(supervisor, "the function's process has ended");
    if (strspn(end, " \n") != strlen(end))
        return refuse_because(supervisor, "Init left other processes behind");
    supervisor->handle = (int)syscall(SYS_pidfd_open, supervisor->held, 0);
    return supervisor->handle < 0 ? refuse_because(supervisor, "the function's process has ended") : 0;
}

static int seize(struct supervisor *supervisor)
{
    pid_t pid = supervisor->held;
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0) {
        supervisor->held = 0; /* not ours to wait for */
        return refuse_because(supervisor, "the function's process can't be traced: %s", strerror(errno));
    }
    if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || await_event(supervisor, pid, PTRACE_EVENT_STOP, NULL) < 0)
        return refuse_because(supervisor, "the function's process doesn't stop");
    return 0;
}

/* 1 when it stands where it is to stay, 0 when it goes on. */
static int judge_call(struct supervisor *supervisor, const struct ptrace_syscall_info *info)
{
    if (info->op != PTRACE_SYSCALL_INFO_ENTRY)
        return 0;
    if (info->arch != NATIVE_ARCHITECTURE)
        return refuse_because(supervisor, "Init ended in code of another architecture");
    if (info->entry.nr == __NR_execve || info->entry.nr == __NR_execveat)
        return refuse_because(supervisor, "the function's process became another program");
    if (info->entry.nr != __NR_clone)
        return 0; /* clone3 is refused by the filter, and a process made in another way is noticed */
    if (info->entry.args[0] != FORK_FLAGS || info->entry.args[1] != 0)
        return refuse_because(supervisor, "the function's process made another process than that of its snapshot");
    supervisor->place = (unsigned long)info->instruction_pointer;
    return 1;
}

static int judge_stop(struct supervisor *supervisor, int status, int *signal)
{
    struct ptrace_syscall_info info;
    *signal = 0;
    if (!WIFSTOPPED(status))
        return refuse_because(supervisor, "the function's process has ended");
    if (status >> EVENT_SHIFT != 0)
        return refuse_because(supervisor, "the function's process stopped or made another one");
    if (WSTOPSIG(status) != CALL_STOP) {
        *signal = WSTOPSIG(status);
        return 0;
    }
    if (ptrace(PTRACE_GET_SYSCALL_INFO, supervisor->held, (void *)sizeof info, &info) < 0)
        return refuse_because(supervisor, "the function's process has ended");
    return judge_call(supervisor, &info);
}

static int follow_to_fork(struct supervisor *supervisor)
{
    long long until = milliseconds_now() + HOLD_MILLISECONDS;
    for (int signal = 0, status, judgement = 0; judgement == 0;) {
        if (resume(supervisor->held, signal) < 0)
            return refuse_because(supervisor, "the function's process has ended");
        int change = await_change(supervisor->held, until, &status);
        if (change < 0)
            return refuse_because(supervisor, "the function's process has ended");
        if (change == 0 || milliseconds_now() > until)
            return refuse_because(supervisor, "the runtime didn't come to its snapshot in time");
        judgement = judge_stop(supervisor, status, &signal);
        if (judgement < 0)
            return -1;
    }
    return 0;
}

/* Only now, so that everything it did itself has passed the filter. */
static int lift_filter(struct supervisor *supervisor)
{
    if (ptrace(PTRACE_SETOPTIONS, supervisor->held, NULL, (void *)(OPTIONS | PTRACE_O_SUSPEND_SECCOMP)) == 0)
        return 0;
    return refuse_because(supervisor, "this machine doesn't let us suspend a filter of system calls: %s",
                          strerror(errno));
}

int hold_at_fork(struct supervisor *supervisor)
{
    if (find_function(supervisor) < 0 || seize(supervisor) < 0)
        return -1;
    if (send_message(supervisor->launch->control, "watching", NULL, 0) < 0)
        return refuse_because(supervisor, "the server has gone");
    if (follow_to_fork(supervisor) < 0 || lift_filter(supervisor) < 0)
        return -1;
    if (read_registers(supervisor->held, &supervisor->at_fork) < 0)
        return refuse_because(supervisor, "the function's process has ended");
    if (!is_call_instruction(supervisor->held, supervisor->place))
        return refuse_because(supervisor, "Init ended at an unknown instruction");
    return 0;
}

/* Kill it and see it gone; as its tracer we hear of that before its parent does. */
void drop_traced(pid_t pid)
{
    long long until = milliseconds_now() + GRACE_MILLISECONDS;
    int status;
    kill(pid, SIGKILL);
    while (await_change(pid, until, &status) == 1 && WIFSTOPPED(status))
        continue;
}

void drop_held(struct supervisor *supervisor)
{
    if (supervisor->held <= 0)
        return;
    drop_traced(supervisor->held);
    close(supervisor->handle);
    supervisor->held = 0;
}
