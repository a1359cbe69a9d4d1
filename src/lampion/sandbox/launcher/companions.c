/*
 * Companions: programs that run beside the function's process, as the same user, from before it. All are started by
 * process 1, in their order; the function's process is made first, for making it needs what process 1 gives up then,
 * and waits at a gate until the server says "main".
 *
 * Process 0 is the function's, 1 and so on are the companions, in the order of the description. Each one's end is told
 * as it comes, "error" with the number of the error for a program that couldn't be executed; the sandbox ends with the
 * last of them.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* As that of the function's process: see give_away_pipes. A pipe there is exactly if there are companions. */
int give_away_companion_pipe(struct launch *launch)
{
    const struct identity *owner = &launch->wanted.outside;
    if ((launch->companion_output >= 0) != (launch->wanted.companion_count > 0)) {
        errno = EINVAL;
        return -1;
    }
    return launch->companion_output < 0 ? 0 : fchown(launch->companion_output, owner->user_id, owner->group_id);
}

static void tell(struct launch *launch, int number, const char *how, int value)
{
    char text[64];
    snprintf(text, sizeof text, "process %d %s %d", number, how, value);
    send_message(launch->inside, text, NULL, 0);
}

/* 0 once the program is executed, else the error that prevented it. */
static int read_report(int report)
{
    int error = 0;
    ssize_t count;
    do
        count = read(report, &error, sizeof error);
    while (count < 0 && errno == EINTR);
    close(report);
    return count == 0 ? 0 : count == (ssize_t)sizeof error ? error : EIO;
}

/* A pipe whose numbers stay free in the new process until its exec, which closes it. */
static int open_pipe(int *in, int *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    *in = fcntl(ends[0], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    *out = fcntl(ends[1], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    close(ends[0]);
    close(ends[1]);
    return *in < 0 || *out < 0 ? -1 : 0;
}

int hold_function(struct launch *launch)
{
    int report;
    if (open_pipe(&launch->gate_in, &launch->gate_out) < 0 || open_pipe(&launch->gate_report, &report) < 0)
        return -1;
    launch->function = fork();
    if (launch->function < 0)
        return -1;
    if (launch->function == 0) {
        close(launch->gate_out); /* or it would wait for itself when process 1 has gone */
        close(launch->companion_output);
        run_accompanied(launch, report);
    }
    close(report);
    close(launch->gate_in);
    launch->gate_in = 0;
    close_function_ends(launch);
    return 0;
}

/* In the function's process, just before its exec. */
int await_gate(struct launch *launch)
{
    char letter;
    ssize_t count;
    if (launch->gate_in == 0)
        return 0;
    /* Until it is another program, it has things in its memory that are none of a companion's business. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    do
        count = read(launch->gate_in, &letter, 1);
    while (count < 0 && errno == EINTR);
    if (count != 1)
        _exit(1);
    return 0;
}

static void open_gate(struct launch *launch)
{
    if (launch->gate_out <= 0)
        return;
    ssize_t count = write(launch->gate_out, "", 1);
    close(launch->gate_out);
    launch->gate_out = 0;
    /* If it has been killed meanwhile, that is told by its end. */
    int error = read_report(launch->gate_report);
    if (count == 1 && error != 0)
        tell(launch, 0, "error", error);
}

static void become_companion(struct launch *launch, int number, int report)
{
    struct description *wanted = &launch->wanted;
    launch->output = launch->companion_output;
    launch->telemetry = launch->orders_in = -1;
    launch->gate_in = 0;
    wanted->working_directory = "/";
    wanted->arguments[0] = wanted->companions[number];
    wanted->arguments[1] = NULL;
    memcpy(wanted->variables, wanted->companion_variables, sizeof wanted->variables);
    run_accompanied(launch, report);
}

static int start_companion(struct launch *launch, int number)
{
    int in, report;
    if (open_pipe(&in, &report) < 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        if (launch->gate_out > 0)
            close(launch->gate_out);
        become_companion(launch, number, report);
    }
    close(report);
    int error = read_report(in);
    if (error == 0)
        launch->companions[number] = pid;
    else
        tell(launch, number + 1, "error", error);
    return 0;
}

int start_companions(struct launch *launch)
{
    for (int i = 0; i < launch->wanted.companion_count; i++) {
        set_detail(launch, launch->wanted.companions[i]);
        if (start_companion(launch, i) < 0)
            return -1;
    }
    if (launch->companion_output >= 0)
        close(launch->companion_output);
    launch->companion_output = -1;
    return 0;
}

static pid_t *process_of(struct launch *launch, int number)
{
    if (number == 0)
        return &launch->function;
    return number > 0 && number <= launch->wanted.companion_count ? &launch->companions[number - 1] : NULL;
}

/* With whatever is in its process group, which it leads; the group doesn't exist before it has come that far. */
static void end_process(struct launch *launch, int number)
{
    const pid_t *process = process_of(launch, number);
    if (process != NULL && *process > 0 && kill(-*process, SIGKILL) < 0)
        kill(*process, SIGKILL);
}

bool obey_for_companions(struct launch *launch, const char *order)
{
    int number;
    if (strcmp(order, "main") == 0)
        open_gate(launch);
    else if (sscanf(order, "end %d", &number) == 1)
        end_process(launch, number);
    else
        return false;
    return true;
}

static bool is_anybody_left(struct launch *launch)
{
    for (int number = 0; number <= launch->wanted.companion_count; number++)
        if (*process_of(launch, number) > 0)
            return true;
    return false;
}

/* True when the last of them has ended. */
bool reap_accompanied(struct launch *launch, pid_t pid, int status)
{
    const char *how = WIFSIGNALED(status) ? "signal" : "code";
    int value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    for (int number = 0; number <= launch->wanted.companion_count; number++) {
        pid_t *process = process_of(launch, number);
        if (*process != pid)
            continue;
        *process = 0;
        tell(launch, number, how, value);
        if (number == 0) {
            char text[64];
            snprintf(text, sizeof text, "ended %s %d", how, value);
            send_message(launch->inside, text, NULL, 0);
        }
    }
    return !is_anybody_left(launch);
}
