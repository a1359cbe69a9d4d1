/* How the copies become what they are to be: one the program of process 1, the other the function's process. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENT_EXEC = 4, RESTRICT_SELF = 446 /* Landlock's */ };

/* The arguments of an exec, as they lie in the process. */
struct program {
    char path[32];
    char name[8];
    char role[16];
    char channel[16];
    char function[16];
    unsigned long arguments[5];
    unsigned long variables[1];
};

static int check_program(struct supervisor *supervisor, pid_t pid)
{
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    if (stat("/proc/self/exe", &ours) < 0 || stat(path, &theirs) < 0 || ours.st_ino != theirs.st_ino ||
        ours.st_dev != theirs.st_dev)
        return refuse_because(supervisor, "process 1 runs another program");
    return 0;
}

/* It leaves the function's memory, and is a process of ours. */
int become_process_1(struct supervisor *supervisor, pid_t pid, int channel, long function)
{
    unsigned long base = supervisor->scratch;
    struct program program = {.path = STUB_PATH, .name = "/init", .role = "process-1"};
    struct call call = {__NR_execve,
                        {base, base + offsetof(struct program, arguments), base + offsetof(struct program, variables)}};
    snprintf(program.channel, sizeof program.channel, "%d", channel);
    snprintf(program.function, sizeof program.function, "%ld", function);
    program.arguments[0] = base + offsetof(struct program, name);
    program.arguments[1] = base + offsetof(struct program, role);
    program.arguments[2] = base + offsetof(struct program, channel);
    program.arguments[3] = base + offsetof(struct program, function);
    if (put(supervisor, pid, 0, &program, sizeof program) < 0 || start_call(supervisor, pid, &call) < 0)
        return -1;
    if (await_event(supervisor, pid, EVENT_EXEC, NULL) < 0)
        return refuse_because(supervisor, "the program of process 1 can't be started");
    if (check_program(supervisor, pid) < 0)
        return -1;
    return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? refuse_because(supervisor, "process 1 has gone") : 0;
}

static int call_with(struct supervisor *supervisor, pid_t pid, const char *what, long number, unsigned long first,
                     unsigned long second, unsigned long third)
{
    const struct call call = {number, {first, second, third}};
    return must_call(supervisor, pid, what, &call, NULL);
}

/* A socket that has been closed on the other side: programs notice, and connect anew. */
static int open_dead_socket(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    close(ends[1]);
    return ends[0];
}

enum { NEW_OUTPUT, NEW_TELEMETRY, NEW_SOCKET, RULES, MOST_NEW };

static int send_inside(struct supervisor *supervisor, pid_t pid, int *descriptors, int count, int *numbers)
{
    const struct call call = {__NR_socketpair, {AF_UNIX, SOCK_SEQPACKET, 0, supervisor->scratch}};
    int ends[2], result = -1;
    int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    if (handle < 0)
        return refuse_because(supervisor, "a copy has gone");
    if (must_call(supervisor, pid, "a channel", &call, NULL) == 0 && get(supervisor, pid, 0, ends, sizeof ends) == 0) {
        int channel = (int)syscall(SYS_pidfd_getfd, handle, ends[1], 0);
        if (channel < 0 || send_message(channel, "given", descriptors, count) < 0)
            result = refuse_because(supervisor, "descriptors can't be given: %s", strerror(errno));
        else
            result = receive_inside(supervisor, pid, ends[0], numbers, count);
        if (channel >= 0)
            close(channel);
        for (int i = 0; result == 0 && i < 2; i++)
            result = call_with(supervisor, pid, "closing", __NR_close, (unsigned long)ends[i], 0, 0);
    }
    close(handle);
    return result;
}

/* Everything that led to the origin's pipes and network leads to its own pipes, and nowhere. */
static int replace_descriptors(struct supervisor *supervisor, pid_t pid, const int *numbers)
{
    static const int replacements[] = {
        [HELD_OUTPUT] = NEW_OUTPUT, [HELD_TELEMETRY] = NEW_TELEMETRY, [HELD_SOCKET] = NEW_SOCKET};
    for (int i = 0; i < supervisor->descriptor_count; i++) {
        const struct held_descriptor *held = &supervisor->descriptors[i];
        if (held->kind == HELD_KEPT)
            continue;
        if (call_with(supervisor, pid, "replacing a descriptor", __NR_dup3,
                      (unsigned long)numbers[replacements[held->kind]], (unsigned long)held->number,
                      held->closes_on_exec ? O_CLOEXEC : 0) < 0)
            return -1;
    }
    return 0;
}

/* The change of ids takes every capability away: it is one from root, which it was in its new user namespace. */
static int take_identity(struct supervisor *supervisor, pid_t pid, const struct identity *inside)
{
    const struct call group = {__NR_setresgid, {inside->group_id, inside->group_id, inside->group_id}};
    const struct call user = {__NR_setresuid, {inside->user_id, inside->user_id, inside->user_id}};
    if (must_call(supervisor, pid, "a group of its own", &group, NULL) < 0)
        return -1;
    return must_call(supervisor, pid, "a user of its own", &user, NULL);
}

/*
 * The held process has a higher limit: the kernel counts the processes of all user namespaces that one user made, up to
 * the limit that their maker had.
 */
static int limit_its_processes(struct supervisor *supervisor, pid_t pid, unsigned long most)
{
    const struct rlimit limit = {most, most};
    const struct call call = {__NR_prlimit64, {0, RLIMIT_NPROC, supervisor->scratch, 0}};
    if (put(supervisor, pid, 0, &limit, sizeof limit) < 0)
        return -1;
    return must_call(supervisor, pid, "a limit of processes", &call, NULL);
}

/* `given`: output, telemetry and, where the kernel has Landlock, its rules. */
int become_function(struct supervisor *supervisor, pid_t pid, const struct destiny *destiny, const struct message *given)
{
    int descriptors[MOST_NEW] = {given->descriptors[0], given->descriptors[1], open_dead_socket()};
    int numbers[MOST_NEW], count = given->count + 1;
    long unused;
    if (count > RULES)
        descriptors[RULES] = given->descriptors[2];
    int result = send_inside(supervisor, pid, descriptors, count, numbers);
    close(descriptors[NEW_SOCKET]);
    if (result < 0 || replace_descriptors(supervisor, pid, numbers) < 0)
        return -1;
    /* Keys of the session would be common to all copies; a kernel without keys is as good. */
    const struct call keys = {__NR_keyctl, {KEYCTL_JOIN_SESSION_KEYRING, 0}};
    if (do_call(supervisor, pid, &keys, &unused) < 0)
        return -1;
    if (call_with(supervisor, pid, "a session", __NR_setsid, 0, 0, 0) < 0 || take_identity(supervisor, pid, &destiny->inside) < 0 ||
        call_with(supervisor, pid, "access to itself", __NR_prctl, PR_SET_DUMPABLE, 1, 0) < 0 ||
        call_with(supervisor, pid, "outliving", __NR_prctl, PR_SET_PDEATHSIG, 0, 0) < 0)
        return -1;
    if (count > RULES &&
        call_with(supervisor, pid, "Landlock", RESTRICT_SELF, (unsigned long)numbers[RULES], 0, 0) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (call_with(supervisor, pid, "closing", __NR_close, (unsigned long)numbers[i], 0, 0) < 0)
            return -1;
    return limit_its_processes(supervisor, pid, destiny->most_processes);
}
