/* Waiting for what a traced process does, never longer than a deadline. */
#include "snapshot.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* <sys/ptrace.h> and <linux/ptrace.h> clash. */
long ptrace(int request, ...);

enum { CALL_STOP = SIGTRAP | 0x80, EVENT_SHIFT = 16 };

long long milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The first reason counts. */
int refuse_because(struct supervisor *supervisor, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    if (supervisor->reason[0] == '\0')
        vsnprintf(supervisor->reason, sizeof supervisor->reason, format, words);
    va_end(words);
    return -1;
}

/* 1 when there is a change, 0 when there was none in time, -1 when there is no such process of ours. */
int await_change(pid_t pid, long long until, int *status)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        pid_t changed = waitpid(pid, status, __WALL | WNOHANG);
        if (changed != 0)
            return changed < 0 ? -1 : 1;
        long long rest = until - milliseconds_now();
        if (rest <= 0)
            return 0;
        /* SIGCHLD is blocked, so one that comes before this call is waiting for it. */
        struct timespec patience = {rest / 1000, rest % 1000 * 1000000};
        sigtimedwait(&child, NULL, &patience);
    }
}

/* On to the next entry or exit of a system call. */
int resume(pid_t pid, int signal)
{
    return ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) < 0 ? -1 : 0;
}

bool is_event(int status, int event)
{
    return WIFSTOPPED(status) && status >> EVENT_SHIFT == event;
}

static int await_stop(struct supervisor *supervisor, pid_t pid, int *status)
{
    int change = await_change(pid, milliseconds_now() + STEP_MILLISECONDS, status);
    if (change == 0)
        return refuse_because(supervisor, "a process didn't stop in time");
    if (change < 0 || !WIFSTOPPED(*status))
        return refuse_because(supervisor, "a process has ended");
    return 0;
}

static int await_call_stop(struct supervisor *supervisor, pid_t pid, int kind, struct ptrace_syscall_info *info)
{
    int status;
    if (await_stop(supervisor, pid, &status) < 0)
        return -1;
    if (WSTOPSIG(status) != CALL_STOP || status >> EVENT_SHIFT != 0)
        return refuse_because(supervisor, "a process stopped unexpectedly (%x)", status);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof *info, info) < 0 || info->op != kind)
        return refuse_because(supervisor, "a process stopped elsewhere in a system call");
    if (info->arch != NATIVE_ARCHITECTURE)
        return refuse_because(supervisor, "a process makes system calls of another architecture");
    return 0;
}

int await_entry(struct supervisor *supervisor, pid_t pid, struct call_stop *stop)
{
    struct ptrace_syscall_info info;
    if (await_call_stop(supervisor, pid, PTRACE_SYSCALL_INFO_ENTRY, &info) < 0)
        return -1;
    stop->architecture = info.arch;
    stop->place = (unsigned long)info.instruction_pointer;
    stop->number = info.entry.nr;
    memcpy(stop->arguments, info.entry.args, sizeof stop->arguments);
    return 0;
}

int await_exit(struct supervisor *supervisor, pid_t pid, long *result)
{
    struct ptrace_syscall_info info;
    if (await_call_stop(supervisor, pid, PTRACE_SYSCALL_INFO_EXIT, &info) < 0)
        return -1;
    *result = (long)info.exit.rval;
    return 0;
}

/* 1 with the child's number; 0 with the error when there is none, and the parent is at the exit of its call. */
int await_child(struct supervisor *supervisor, pid_t parent, pid_t *child, long *error)
{
    struct ptrace_syscall_info info;
    unsigned long number;
    int status;
    if (await_stop(supervisor, parent, &status) < 0)
        return -1;
    if (is_event(status, PTRACE_EVENT_FORK)) {
        if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &number) < 0)
            return refuse_because(supervisor, "a process has gone");
        *child = (pid_t)number;
        return 1;
    }
    if (WSTOPSIG(status) != CALL_STOP || ptrace(PTRACE_GET_SYSCALL_INFO, parent, (void *)sizeof info, &info) < 0 ||
        info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.rval >= 0)
        return refuse_because(supervisor, "a process stopped unexpectedly (%x)", status);
    *error = (long)-info.exit.rval;
    return 0;
}

int await_event(struct supervisor *supervisor, pid_t pid, int event, unsigned long *message)
{
    int status;
    if (await_stop(supervisor, pid, &status) < 0)
        return -1;
    if (!is_event(status, event))
        return refuse_because(supervisor, "a process stopped unexpectedly (%x)", status);
    if (message != NULL && ptrace(PTRACE_GETEVENTMSG, pid, NULL, message) < 0)
        return refuse_because(supervisor, "a process stopped for an unknown reason");
    return 0;
}
