/* The function's process: how it becomes one, and how one that waits is told what it is to be. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HIGH_NUMBER = 30000, REPORT_DESCRIPTOR = 32 /* beyond those that arrange_descriptors touches */ };

int enter_working_directory(struct launch *launch)
{
    const char *directory = launch->wanted.working_directory;
    umask(022);
    if (directory == NULL)
        return 0;
    set_detail(launch, directory);
    return chdir(directory);
}

int execute(struct launch *launch)
{
    set_detail(launch, launch->wanted.arguments[0]);
    return execve(launch->wanted.arguments[0], launch->wanted.arguments, launch->wanted.variables);
}

/* Waits for the exec: its success closes the other end. Otherwise passes on what was told. */
static int await_exec(struct launch *launch, int report)
{
    struct message message;
    ssize_t length = receive_message(report, &message);
    close(report);
    if (length == 0)
        return 0;
    send_message(launch->inside, length > 0 ? message.text : "error exec", NULL, 0);
    _exit(1);
}

/*
 * Programs notice a fork by a change of their process number, and may else share random numbers with their copies; those
 * have low numbers in their namespaces.
 */
static pid_t fork_with_high_number(void)
{
    pid_t number = HIGH_NUMBER;
    struct clone_args request = {
        .exit_signal = SIGCHLD, .set_tid = (unsigned long long)(unsigned long)&number, .set_tid_size = 1};
    return (pid_t)syscall(SYS_clone3, &request, sizeof request);
}

/* Unless it is there already. */
int start_function(struct launch *launch)
{
    int ends[2];
    if (launch->function > 0)
        return 0;
    if (launch->wanted.argument_count == 0) {
        errno = EINVAL;
        return -1;
    }
    if (launch->wanted.companion_count > 0)
        return hold_function(launch);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    launch->function = launch->wanted.is_origin ? fork_with_high_number() : fork();
    if (launch->function < 0)
        return -1;
    if (launch->function == 0) {
        int report = fcntl(ends[1], F_DUPFD_CLOEXEC, REPORT_DESCRIPTOR);
        close(ends[0]);
        close(ends[1]);
        run_function(launch, report);
    }
    close(ends[1]);
    close_function_ends(launch);
    return await_exec(launch, ends[0]);
}

/* The environment, variable by variable with a NUL after each; the end of the pipe says that it is complete. */
int give_orders(struct launch *launch)
{
    char *const *variables = launch->wanted.variables;
    if (launch->orders_out < 0)
        return 0;
    for (int i = 0; i < launch->wanted.variable_count; i++) {
        size_t length = strlen(variables[i]) + 1;
        for (size_t done = 0; done < length;) {
            ssize_t count = write(launch->orders_out, variables[i] + done, length - done);
            if (count < 0)
                return errno == EPIPE ? 0 : -1; /* that it has ended is noticed elsewhere */
            done += (size_t)count;
        }
    }
    close(launch->orders_out);
    return 0;
}
