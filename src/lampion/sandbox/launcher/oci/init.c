/*
 * lampion-oci-init HOME DIRECTORY PROGRAM [ARGUMENT...]: process 1 of a container that an OCI runtime made. Runs the
 * program as the function's process, reaps orphans, and tells the keeper (sandbox/oci/keeper.py) on descriptor 4 how it
 * went: "ready", then after its "go" "running" or "error STEP WHAT: WHY", at the end "code NUMBER" or "signal NUMBER".
 *
 * From the keeper: "go", then "term" for the function's process, "stop" and "continue" for all but process 1; the end of
 * the socket is the container's.
 *
 * With companions (see ../companions.c), "go" comes with two descriptors: a text of NUL-terminated words, "p" and a program
 * or "v" and a variable, and what companions write to. Then the function's process begins at "main", "end NUMBER" kills one
 * of them, and each one's end is told as "process NUMBER code|signal|error NUMBER".
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

enum { TELEMETRY = 3, KEEPER = 4, FIRST_UNWANTED = 5, MOST_UNWANTED = 1024, MOST_BYTES = 512 };
enum { MOST_COMPANIONS = 10, MOST_VARIABLES = 2048, MOST_TEXT_BYTES = 1 << 20 };

/* What a process is to be; without variables of its own it has those of this one. */
struct program {
    char *directory;
    char **words;
    char **variables;
    int output; /* -1 to share this one's */
};

/* Why there is none. */
struct report {
    int error;
    int is_directory_s;
};

static struct {
    int count;
    char *programs[MOST_COMPANIONS];
    char *variables[MOST_VARIABLES + 1];
    int variable_count;
    int output;
} companions = {.output = -1};

static pid_t processes[MOST_COMPANIONS + 1]; /* 0 is the function's; a process that has ended or isn't yet is 0 */

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

/* In the child; returns only when it can't. */
static void become(const struct program *program, struct report *report)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    setsid();
    report->is_directory_s = 1;
    if (program->output >= 0) {
        if (dup2(program->output, 1) < 0 || dup2(program->output, 2) < 0)
            return;
        close(TELEMETRY);
    }
    if (chdir(program->directory) < 0)
        return;
    report->is_directory_s = 0;
    execve(program->words[0], program->words, program->variables == NULL ? environ : program->variables);
}

/* The new process; -1 and a report when there is none. */
static pid_t start(const struct program *program, struct report *report)
{
    int ends[2];
    *report = (struct report){0};
    if (pipe2(ends, O_CLOEXEC) < 0) {
        report->error = errno;
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        become(program, report);
        report->error = errno;
        _exit(write(ends[1], report, sizeof *report) == (ssize_t)sizeof *report ? 127 : 126);
    }
    int error = errno;
    close(ends[1]);
    ssize_t length = child < 0 ? 0 : read(ends[0], report, sizeof *report);
    close(ends[0]);
    if (child < 0)
        report->error = error;
    return child < 0 || length != 0 ? -1 : child;
}

static void tell_end(int number, const char *how, int value)
{
    char text[64];
    snprintf(text, sizeof text, "process %d %s %d", number, how, value);
    tell(text);
}

/* The process of that number, or word of its failure. */
static void start_accompanied(int number, const struct program *program)
{
    struct report report;
    pid_t process = start(program, &report);
    if (process < 0)
        tell_end(number, "error", report.error);
    else
        processes[number] = process;
}

static void start_companions(void)
{
    for (int i = 0; i < companions.count; i++) {
        char *words[] = {companions.programs[i], NULL};
        struct program program = {"/", words, companions.variables, companions.output};
        start_accompanied(i + 1, &program);
    }
    close(companions.output);
}

static int is_anybody_left(void)
{
    for (int number = 0; number <= companions.count; number++)
        if (processes[number] > 0)
            return 1;
    return 0;
}

/* Whether all processes have ended that were ever to be; each end is told. `is_begun`: the function's has begun. */
static int reap(int is_begun)
{
    int status;
    char text[64];
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        const char *how = WIFSIGNALED(status) ? "signal" : "code";
        int value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        for (int number = 0; number <= companions.count; number++) {
            if (processes[number] != pid)
                continue;
            processes[number] = 0;
            if (companions.count > 0)
                tell_end(number, how, value);
            if (number > 0)
                continue;
            snprintf(text, sizeof text, "%s %d", how, value);
            tell(text);
        }
    }
    return is_begun && !is_anybody_left();
}

static int read_companions(int description)
{
    static char text[MOST_TEXT_BYTES + 1];
    ssize_t length = pread(description, text, MOST_TEXT_BYTES, 0);
    close(description);
    if (length < 0)
        return -1;
    for (char *word = text; word < text + length; word += strlen(word) + 1) {
        if (word[0] == 'p' && companions.count < MOST_COMPANIONS)
            companions.programs[companions.count++] = word + 1;
        else if (word[0] == 'v' && companions.variable_count < MOST_VARIABLES)
            companions.variables[companions.variable_count++] = word + 1;
        else
            return -1;
    }
    return 0;
}

/* "go", perhaps with companions. */
static int await_go(void)
{
    char order[MOST_BYTES];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } buffer;
    struct iovec content = {.iov_base = order, .iov_len = sizeof order - 1};
    struct msghdr head = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = buffer.bytes, .msg_controllen = sizeof buffer.bytes};
    ssize_t length;
    int descriptors[2];
    do {
        length = recvmsg(KEEPER, &head, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length != 2 || memcmp(order, "go", 2) != 0)
        return -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
    if (rights == NULL)
        return 0;
    if (rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof descriptors))
        return -1;
    memcpy(descriptors, CMSG_DATA(rights), sizeof descriptors);
    companions.output = descriptors[1];
    return read_companions(descriptors[0]);
}

/* False when that isn't possible, which has been told. */
static int start_function(const struct program *function)
{
    struct report report;
    char text[MOST_BYTES];
    processes[0] = start(function, &report);
    if (processes[0] > 0)
        return 1;
    const char *step = report.is_directory_s ? "working-directory" : "exec"; /* launcher/messages.py reads it */
    const char *failed = report.is_directory_s ? function->directory : function->words[0];
    snprintf(text, sizeof text, "error %s %.300s: %s", step, failed, strerror(report.error));
    tell(text);
    return 0;
}

static void obey(const char *order, const struct program *function, int *is_begun)
{
    int number;
    if (strcmp(order, "term") == 0 && processes[0] > 0)
        kill(processes[0], SIGTERM);
    else if (strcmp(order, "stop") == 0)
        kill(-1, SIGSTOP);
    else if (strcmp(order, "continue") == 0)
        kill(-1, SIGCONT);
    else if (strcmp(order, "main") == 0 && !*is_begun)
        *is_begun = 1, start_accompanied(0, function);
    else if (sscanf(order, "end %d", &number) == 1 && number >= 0 && number <= companions.count &&
             processes[number] > 0)
        kill(-processes[number], SIGKILL);
}

int main(int count, char **arguments)
{
    char order[MOST_BYTES];
    sigset_t none;
    sigemptyset(&none);
    if (count < 4 || prepare(arguments[1]) < 0)
        return 1;
    tell("ready");
    if (await_go() < 0)
        return 1;
    struct program function = {arguments[2], arguments + 3, NULL, -1};
    int is_begun = companions.count == 0;
    start_companions();
    if (is_begun && !start_function(&function))
        return 1;
    tell("running");
    struct pollfd keeper = {.fd = KEEPER, .events = POLLIN};
    while (!reap(is_begun)) {
        if (ppoll(&keeper, 1, NULL, &none) <= 0)
            continue;
        if (hear(order) <= 0)
            return 1; /* the keeper has gone: with process 1 ends the whole sandbox */
        obey(order, &function, &is_begun);
    }
    return 0;
}
