/* Process 1 of the sandbox: starts the function's process, reaps orphans, tells how the first process ended. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

enum { TELEMETRY_DESCRIPTOR = 3, FIRST_UNUSED_DESCRIPTOR = 4 };

static int leave_session(struct launch *launch)
{
    (void)launch;
    return setsid() < 0 ? -1 : 0;
}

static int reset_signals(struct launch *launch)
{
    (void)launch;
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int arrange_descriptors(struct launch *launch)
{
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* Copies out of the way first: a source may have the very number that another one is to get. */
    int input = fcntl(empty, F_DUPFD_CLOEXEC, 16);
    int output = fcntl(launch->output, F_DUPFD_CLOEXEC, 16);
    int telemetry = fcntl(launch->telemetry, F_DUPFD_CLOEXEC, 16);
    if (input < 0 || output < 0 || telemetry < 0)
        return -1;
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ||
        dup2(telemetry, TELEMETRY_DESCRIPTOR) < 0)
        return -1;
    /* Closed by the exec, not now: a failing exec is still to be told. */
    return (int)syscall(SYS_close_range, FIRST_UNUSED_DESCRIPTOR, ~0U, CLOSE_RANGE_CLOEXEC);
}

static int enter_working_directory(struct launch *launch)
{
    set_detail(launch, launch->wanted.working_directory);
    umask(022);
    return chdir(launch->wanted.working_directory);
}

static int execute(struct launch *launch)
{
    set_detail(launch, launch->wanted.arguments[0]);
    return execve(launch->wanted.arguments[0], launch->wanted.arguments, launch->wanted.variables);
}

static const struct step function_steps[] = {
    /* Signals to the session or the process group of the launcher aren't meant for the function. */
    {"session", leave_session},
    /* Blocked and ignored signals would pass through the exec. */
    {"signals", reset_signals},
    {"working-directory", enter_working_directory},
    /* Last before the exec: nothing that was open here may be open there. */
    {"descriptors", arrange_descriptors},
    {"exec", execute},
    {NULL, NULL},
};

static pid_t start_function(struct launch *launch, int report, int other_end)
{
    pid_t function = fork();
    if (function != 0)
        return function;
    close(other_end);
    /* `report` has a number that arrange_descriptors doesn't touch. */
    const char *failed = take_steps(function_steps, launch);
    send_error(report, failed, launch, errno);
    _exit(127);
}

/* True when the function's process has ended; its status is told then. */
static bool reap(struct launch *launch, pid_t function)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != function)
            continue;
        char message[64];
        if (WIFSIGNALED(status))
            snprintf(message, sizeof message, "ended signal %d", WTERMSIG(status));
        else
            snprintf(message, sizeof message, "ended code %d", WEXITSTATUS(status));
        send_message(launch->inside, message, -1);
        return true;
    }
    return false;
}

static void attend(struct launch *launch, pid_t function, int child_signals)
{
    struct pollfd sources[] = {{.fd = launch->inside, .events = POLLIN}, {.fd = child_signals, .events = POLLIN}};
    while (!reap(launch, function)) {
        if (poll(sources, 2, -1) < 0 && errno != EINTR)
            return;
        if (sources[1].revents != 0) {
            struct signalfd_siginfo signal;
            if (read(child_signals, &signal, sizeof signal) < 0 && errno != EAGAIN && errno != EINTR)
                return;
        }
        if (sources[0].revents == 0)
            continue;
        char message[MOST_MESSAGE_BYTES];
        int descriptor;
        if (receive_message(launch->inside, message, sizeof message, &descriptor) <= 0)
            return; /* the launcher has gone: with process 1 ends the whole sandbox */
        if (strcmp(message, "term") == 0)
            kill(function, SIGTERM);
    }
}

/* Waits for the exec: its success closes the other end. False when it failed and that has been told. */
static bool has_started(struct launch *launch, int report)
{
    char message[MOST_MESSAGE_BYTES];
    int descriptor;
    if (receive_message(report, message, sizeof message, &descriptor) == 0)
        return true;
    send_message(launch->inside, message, -1);
    return false;
}

/* Doesn't return. */
int run_init(struct launch *launch)
{
    int ends[2];
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (child_signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    int report = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_UNUSED_DESCRIPTOR);
    if (report < 0)
        return -1;
    close(ends[1]);
    pid_t function = start_function(launch, report, ends[0]);
    if (function < 0)
        return -1;
    close(report);
    close(launch->output);
    close(launch->telemetry);
    if (!has_started(launch, ends[0]))
        _exit(1);
    close(ends[0]);
    if (send_message(launch->inside, "running", launch->listener) < 0)
        _exit(1);
    close(launch->listener);
    attend(launch, function, child_signals);
    _exit(0);
}
