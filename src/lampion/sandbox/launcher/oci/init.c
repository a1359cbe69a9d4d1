/*
 * lampion-oci-init HOME DIRECTORY PROGRAM [ARGUMENT...]: process 1 of a container that an OCI runtime made. Runs the
 * program as the function's process, reaps orphans, and tells the keeper (sandbox/oci/keeper.py) on descriptor 4 how it
 * went: "ready", then after its "go" "running" or "error STEP WHAT: WHY", at the end "code NUMBER" or "signal NUMBER".
 *
 * From the keeper: "go", then "term" for the function's process, "stop" and "continue" for all but process 1; the end of
 * the socket is the container's.
 *
 * HOME: what to do with that variable, which runtimes add by themselves: "keep", "unset" or "empty".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEEPER = 4, FIRST_UNWANTED = 5, MOST_UNWANTED = 1024, MOST_BYTES = 512 };

extern char **environ;

static void note_child(int number)
{
    (void)number; /* it is enough that poll is interrupted */
}

static void tell(const char *text)
{
    /* A keeper that has gone is noticed by reading. */
    if (send(KEEPER, text, strlen(text), MSG_NOSIGNAL) < 0)
        return;
}

static ssize_t hear(char *text)
{
    ssize_t length;
    do {
        length = recv(KEEPER, text, MOST_BYTES - 1, 0);
    } while (length < 0 && errno == EINTR);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

static int prepare(const char *home)
{
    sigset_t child;
    struct sigaction noting = {.sa_handler = note_child};
    /* The function is the same user: it is not to trace this process or to take its descriptors. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || fcntl(KEEPER, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    for (int descriptor = FIRST_UNWANTED; descriptor < MOST_UNWANTED; descriptor++)
        close(descriptor);
    if (strcmp(home, "unset") == 0)
        unsetenv("HOME");
    else if (strcmp(home, "empty") == 0 && setenv("HOME", "", 1) < 0)
        return -1;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &child, NULL) < 0)
        return -1;
    return sigaction(SIGCHLD, &noting, NULL);
}

struct failure {
    const char *step, *detail;
};

/* In the child; returns only when it can't. What failed is left in `failed`. */
static void become(char **words, struct failure *failed)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    setsid();
    *failed = (struct failure){"working-directory", words[0]};
    if (chdir(words[0]) < 0)
        return;
    *failed = (struct failure){"exec", words[1]};
    execve(words[1], words + 1, environ);
}

/* The function's process; -1 after telling why there is none. */
static pid_t start(char **words)
{
    int ends[2];
    char text[MOST_BYTES];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        struct failure failed = {"fork", ""};
        become(words, &failed);
        int length = snprintf(text, sizeof text, "error %s %.300s: %s", failed.step, failed.detail, strerror(errno));
        _exit(write(ends[1], text, (size_t)length) == length ? 127 : 126);
    }
    close(ends[1]);
    ssize_t length = child < 0 ? snprintf(text, sizeof text, "error fork: %s", strerror(errno))
                               : read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    if (length == 0)
        return child;
    text[length > 0 ? length : 0] = '\0';
    tell(length > 0 ? text : "error exec");
    return -1;
}

/* Whether the function's process has ended; how is told then. */
static int reap(pid_t function)
{
    int status;
    char text[64];
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != function)
            continue;
        if (WIFSIGNALED(status))
            snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
        else
            snprintf(text, sizeof text, "code %d", WEXITSTATUS(status));
        tell(text);
        return 1;
    }
    return 0;
}

int main(int count, char **arguments)
{
    char order[MOST_BYTES];
    sigset_t none;
    sigemptyset(&none);
    if (count < 4 || prepare(arguments[1]) < 0)
        return 1;
    tell("ready");
    if (hear(order) <= 0 || strcmp(order, "go") != 0)
        return 1;
    pid_t function = start(arguments + 2);
    if (function < 0)
        return 1;
    tell("running");
    struct pollfd keeper = {.fd = KEEPER, .events = POLLIN};
    while (!reap(function)) {
        if (ppoll(&keeper, 1, NULL, &none) <= 0)
            continue;
        if (hear(order) <= 0)
            return 1; /* the keeper has gone: with process 1 ends the whole sandbox */
        if (strcmp(order, "term") == 0)
            kill(function, SIGTERM);
        else if (strcmp(order, "stop") == 0)
            kill(-1, SIGSTOP);
        else if (strcmp(order, "continue") == 0)
            kill(-1, SIGCONT);
    }
    return 0;
}
