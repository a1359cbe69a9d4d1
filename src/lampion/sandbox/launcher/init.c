/* Process 1 of the sandbox: starts the function's process, reaps orphans, tells how the first process ended. */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when the function's process has ended; its status is told then. */
static bool reap(struct launch *launch)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (launch->wanted.companion_count > 0) {
            if (reap_accompanied(launch, pid, status))
                return true;
            continue;
        }
        if (pid != launch->function)
            continue;
        char text[64];
        if (WIFSIGNALED(status))
            snprintf(text, sizeof text, "ended signal %d", WTERMSIG(status));
        else
            snprintf(text, sizeof text, "ended code %d", WEXITSTATUS(status));
        send_message(launch->inside, text, NULL, 0);
        launch->function = 0;
        return !launch->outlives_function;
    }
    return false;
}

/* What the server may order; a fork under way that a signal to all meets is made anew, so nobody slips through. */
static const struct {
    const char *word;
    int signal;
    bool is_for_all;
} orders[] = {{"term", SIGTERM, false}, {"stop", SIGSTOP, true}, {"continue", SIGCONT, true}};

/* Who gets it connects to what listens in this sandbox, wherever it is itself. Without one, it hears that too. */
static int offer_socket(struct launch *launch)
{
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = send_message(launch->inside, "socket", &made, made < 0 ? 0 : 1);
    if (made >= 0)
        close(made);
    return result;
}

/* False when the sandbox is to end. */
static bool hear_launcher(struct launch *launch)
{
    struct message *message = &launch->handed;
    if (receive_message(launch->inside, message) <= 0)
        return false; /* the launcher has gone: with process 1 ends the whole sandbox */
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(message->text, orders[i].word) != 0)
            continue;
        pid_t target = orders[i].is_for_all ? -1 : launch->function;
        if (target != 0)
            kill(target, orders[i].signal);
        return true;
    }
    if (strcmp(message->text, "socket") == 0)
        return offer_socket(launch) == 0;
    if (obey_for_companions(launch, message->text))
        return true;
    if (strcmp(message->text, "hold") == 0)
        launch->outlives_function = true;
    if (message->count == 0)
        return true;
    launch->description = message->descriptors[0];
    return specialise_inside(launch) == 0 && send_message(launch->inside, "running", NULL, 0) == 0;
}

static void attend(struct launch *launch, int child_signals)
{
    struct pollfd sources[] = {{.fd = launch->inside, .events = POLLIN}, {.fd = child_signals, .events = POLLIN}};
    while (!reap(launch)) {
        if (poll(sources, 2, -1) < 0 && errno != EINTR)
            return;
        if (sources[1].revents != 0) {
            struct signalfd_siginfo signal;
            if (read(child_signals, &signal, sizeof signal) < 0 && errno != EAGAIN && errno != EINTR)
                return;
        }
        if (sources[0].revents != 0 && !hear_launcher(launch))
            return;
    }
}

/* Until the function's process has ended or the launcher has gone. */
int keep_house(struct launch *launch)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (child_signals < 0)
        return -1;
    attend(launch, child_signals);
    return 0;
}

/* Doesn't return. */
int run_init(struct launch *launch)
{
    if (launch->wanted.is_forked && await_forked(launch) < 0)
        return -1;
    if (launch->wanted.argument_count > 0 && start_function(launch) < 0)
        return -1;
    if (send_message(launch->inside, "prepared", launch->listeners, LISTENER_COUNT) < 0)
        return -1;
    close_listeners(launch);
    _exit(keep_house(launch) < 0);
}
