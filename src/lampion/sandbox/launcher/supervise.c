/* The launcher's main part: carries messages between server and process 1, ends the sandbox, tells how it ended. */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void kill_all(struct launch *launch, struct ending *ending)
{
    ending->is_killed = true;
    /* By its handle: a copy's process 1 isn't our child, so its number may be another one's by now. */
    syscall(SYS_pidfd_send_signal, launch->init_handle, SIGKILL, NULL, 0);
    /* After that, so that nothing runs in between. */
    thaw(launch);
}

static void fail(struct launch *launch, struct ending *ending)
{
    ending->has_failed = true;
    kill_all(launch, ending);
}

/* False when process 1 has gone. */
static bool hear_init(struct launch *launch, struct ending *ending)
{
    struct message message;
    if (receive_message(launch->outside, &message) <= 0)
        return false;
    if (sscanf(message.text, "ended %15s %d", ending->how, &ending->number) == 2) {
        ending->is_known = true;
        return true;
    }
    if (strcmp(message.text, "enter") == 0) {
        if (ask_zygote(launch) < 0) {
            send_error(launch->control, "zygote", launch, errno);
            fail(launch, ending);
        }
        return true;
    }
    if (strncmp(message.text, "error ", 6) == 0)
        ending->has_failed = true;
    if (strncmp(message.text, "process ", 8) == 0) {
        size_t length = strlen(message.text);
        snprintf(message.text + length, sizeof message.text - length, " oom %lld",
                 read_counter(launch->wanted.oom_file, "oom_kill"));
    }
    if (send_message(launch->control, message.text, message.descriptors, message.count) < 0)
        kill_all(launch, ending);
    close_descriptors(&message);
    return true;
}

/* False when the server has gone. */
static bool hear_server(struct launch *launch, struct ending *ending, struct pollfd *snapshot)
{
    struct message message;
    if (receive_message(launch->control, &message) <= 0) {
        kill_all(launch, ending);
        ending->is_server_gone = true;
        return false;
    }
    if (strcmp(message.text, "kill") == 0) {
        kill_all(launch, ending);
    } else if (strcmp(message.text, "specialise") == 0 && (message.count == 1 || message.count == 2)) {
        launch->description = message.descriptors[0];
        launch->companion_output = message.count == 2 ? message.descriptors[1] : -1;
        if (specialise_outside(launch) < 0)
            fail(launch, ending);
    } else if (strcmp(message.text, "seal") == 0 && message.count == 1) {
        if (take_snapshot(launch, message.descriptors[0], &snapshot[1].fd) < 0)
            kill_all(launch, ending);
        else
            snapshot[0].fd = message.descriptors[0];
    } else {
        send_message(launch->outside, message.text, NULL, 0);
    }
    return true;
}

void supervise(struct launch *launch, struct ending *ending)
{
    struct pollfd sources[] = {{.fd = launch->outside, .events = POLLIN},
                               {.fd = launch->control, .events = POLLIN},
                               {.fd = -1, .events = POLLIN}, /* for a snapshot: requests, and its process */
                               {.fd = -1, .events = POLLIN}};
    for (;;) {
        if (poll(sources, 4, -1) < 0) {
            kill_all(launch, ending);
            return;
        }
        if (sources[0].revents != 0 && !hear_init(launch, ending))
            return;
        if (sources[1].revents != 0 && !hear_server(launch, ending, sources + 2))
            sources[1].fd = -1; /* poll leaves it out */
        if (sources[2].revents != 0 && !hear_environment())
            sources[2].fd = sources[3].fd = -1;
        if (sources[3].revents != 0 && sources[3].fd >= 0) {
            sources[3].fd = -1;
            lose_held(launch);
        }
    }
}

/* Until process 1 is gone, and with it, by the kernel's hand, every process of its namespace. */
void await_end(struct launch *launch, struct ending *ending)
{
    int status = 0;
    drop_snapshot();
    if (launch->wanted.is_copy) {
        struct pollfd handle = {.fd = launch->init_handle, .events = POLLIN};
        while (poll(&handle, 1, -1) < 0 && errno == EINTR)
            ;
        if (!ending->is_known)
            snprintf(ending->how, sizeof ending->how, "signal"), ending->number = SIGKILL;
        return;
    }
    /* Whatever else we trace is waited for on the way: process 1 doesn't end before all of its namespace is gone. */
    for (pid_t pid = 0; pid != launch->init && (pid >= 0 || errno == EINTR);)
        pid = waitpid(-1, &status, __WALL);
    if (ending->is_known)
        return;
    snprintf(ending->how, sizeof ending->how, "signal");
    ending->number = WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;
}

void report_end(struct launch *launch, const struct ending *ending, long long oom_kills, long long peak_bytes)
{
    char text[MOST_MESSAGE_BYTES];
    bool is_killed = ending->is_killed && !ending->is_known;
    snprintf(text, sizeof text, "exit %s %d oom %lld peak %lld killed %d", ending->how, ending->number, oom_kills,
             peak_bytes, is_killed);
    send_message(launch->control, text, NULL, 0);
}
