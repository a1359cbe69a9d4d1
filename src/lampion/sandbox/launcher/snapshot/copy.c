/*
 * A copy of the held process for one environment, in its order:
 *
 * supervisor                                            the environment's launcher (environment.c)
 *                                                       "copy" with a channel, output, telemetry, files of cgroups
 * a first copy in new namespaces, which it is process 1 of
 * "born PID" with its handle and its channel ->
 * it enters the cgroups, and makes the function's process   maps ids; "mapped"
 * it becomes the program of process 1 (stub.c)          mounts, network (furnish.c); "furnished" with Landlock's rules
 * the function's process gets its ids, its pipes ...
 * ... and is verified; "ready" ->                       hears of process 1 as well, tells the server; "release"
 * the function's process goes on
 *
 * Neither copy executes an instruction of its own before that, but those that make our system calls.
 */
#include "snapshot.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENT_STOP = 128 };

/*
 * What the flags are is told exactly, never by adding to those that the function used. Process 1 needs the memory only
 * until it becomes another program, so it borrows it (CLONE_VM): one copy is made of it, that of the function's process.
 */
static const unsigned long environment_flags =
    CLONE_VM | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PARENT |
    SIGCHLD;
static const unsigned long function_flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

/* With the message that asked for it. */
enum { REPLY, OUTPUT, TELEMETRY, FIRST_TASK_FILE };

struct copy {
    struct message request;
    struct message answer; /* the launcher's latest */
    pid_t process_1;       /* 0 when there is none to be killed */
    pid_t function;
    int handle;            /* of process 1 */
    int channel;           /* process 1's end of the launcher's channel, as it numbers it */
    long number;           /* of the function's process in its namespace */
};

/* The parent goes on to where it is held. */
static int settle_parent(struct supervisor *supervisor, pid_t parent, long *number)
{
    return resume(parent, 0) < 0 ? refuse_because(supervisor, "a process has gone")
                                 : end_call(supervisor, parent, number);
}

static int await_settled(struct supervisor *supervisor, pid_t parent)
{
    struct call_stop stop;
    return resume(parent, 0) < 0 ? -1 : await_entry(supervisor, parent, &stop);
}

/* `parent` stays where it made the child, until `settle_parent`; without a child it is held already. */
static int make_child(struct supervisor *supervisor, pid_t parent, unsigned long flags, pid_t *child)
{
    struct call call = {.number = __NR_clone, .arguments = {flags}};
    struct call_stop stop;
    long error;
    /* Where the child is told its number: as the fork had it. */
#if defined(__x86_64__)
    call.arguments[3] = flags & CLONE_CHILD_SETTID ? supervisor->at_fork.all.r10 : 0;
#else
    call.arguments[4] = flags & CLONE_CHILD_SETTID ? supervisor->at_fork.all.regs[4] : 0;
#endif
    if (parent == supervisor->held)
        supervisor->is_settled = false;
    if (start_call(supervisor, parent, &call) < 0)
        return -1;
    int answer = await_child(supervisor, parent, child, &error);
    if (answer == 0 && await_settled(supervisor, parent) == 0 && parent == supervisor->held)
        supervisor->is_settled = true;
    if (answer <= 0)
        return refuse_because(supervisor, "a process can't be copied: %s", strerror(answer == 0 ? (int)error : EPROTO));
    if (await_event(supervisor, *child, EVENT_STOP, NULL) < 0 || resume(*child, 0) < 0 ||
        await_entry(supervisor, *child, &stop) < 0)
        return -1;
    return stop.place == supervisor->place ? 0 : refuse_because(supervisor, "a copy went astray");
}

static int close_inside(struct supervisor *supervisor, pid_t pid, int number)
{
    const struct call call = {__NR_close, {(unsigned long)number}};
    return must_call(supervisor, pid, "closing", &call, NULL);
}

/* A channel to process 1, made in it, for there is no other way to give it anything. */
static int open_channel(struct supervisor *supervisor, struct copy *copy, int *ours)
{
    const struct call call = {__NR_socketpair, {AF_UNIX, SOCK_SEQPACKET, 0, supervisor->scratch}};
    int ends[2];
    if (must_call(supervisor, copy->process_1, "a channel", &call, NULL) < 0 ||
        get(supervisor, copy->process_1, 0, ends, sizeof ends) < 0)
        return -1;
    copy->channel = ends[0];
    *ours = (int)syscall(SYS_pidfd_getfd, copy->handle, ends[1], 0);
    if (*ours < 0)
        return refuse_because(supervisor, "a channel can't be taken: %s", strerror(errno));
    return close_inside(supervisor, copy->process_1, ends[1]);
}

/* It moves itself, for who moves others may have to wait for a lock (cgroups.c). */
static int enter_limits(struct supervisor *supervisor, struct copy *copy, int channel)
{
    const struct call leave_sight = {__NR_unshare, {CLONE_NEWCGROUP}};
    int numbers[MOST_CGROUPS], count = copy->request.count - FIRST_TASK_FILE;
    if (count > 0) {
        if (send_message(channel, "limits", copy->request.descriptors + FIRST_TASK_FILE, count) < 0)
            return refuse_because(supervisor, "limits can't be handed over: %s", strerror(errno));
        if (receive_inside(supervisor, copy->process_1, copy->channel, numbers, count) < 0 ||
            put(supervisor, copy->process_1, 0, "0", 1) < 0)
            return -1;
    }
    for (int i = 0; i < count; i++) {
        const struct call call = {__NR_write, {(unsigned long)numbers[i], supervisor->scratch, 1}};
        if (must_call(supervisor, copy->process_1, "entering limits", &call, NULL) < 0 ||
            close_inside(supervisor, copy->process_1, numbers[i]) < 0)
            return -1;
    }
    return must_call(supervisor, copy->process_1, "a cgroup namespace", &leave_sight, NULL);
}

/* Waits for the launcher to say `word`. */
static int hear_launcher(struct supervisor *supervisor, struct copy *copy, const char *word)
{
    struct pollfd source = {.fd = copy->request.descriptors[REPLY], .events = POLLIN};
    close_descriptors(&copy->answer);
    if (poll(&source, 1, STEP_MILLISECONDS) <= 0 || receive_message(source.fd, &copy->answer) <= 0)
        return refuse_because(supervisor, "the launcher has gone");
    return strncmp(copy->answer.text, word, strlen(word)) == 0 ? 0 : refuse_because(supervisor, "given up");
}

static int tell_launcher(struct supervisor *supervisor, struct copy *copy, const char *text, const int *descriptors,
                         int count)
{
    if (send_message(copy->request.descriptors[REPLY], text, descriptors, count) < 0)
        return refuse_because(supervisor, "the launcher has gone");
    return 0;
}

static int bear(struct supervisor *supervisor, struct copy *copy)
{
    char text[64];
    int descriptors[2] = {-1, -1};
    if (make_child(supervisor, supervisor->held, environment_flags, &copy->process_1) < 0)
        return -1;
    copy->handle = descriptors[0] = (int)syscall(SYS_pidfd_open, copy->process_1, 0);
    if (copy->handle < 0)
        return refuse_because(supervisor, "a copy has gone");
    if (open_channel(supervisor, copy, &descriptors[1]) < 0)
        return -1;
    snprintf(text, sizeof text, "born %d", (int)copy->process_1);
    int result = tell_launcher(supervisor, copy, text, descriptors, 2);
    if (result == 0)
        result = enter_limits(supervisor, copy, descriptors[1]);
    close(descriptors[1]);
    return result;
}

static int make_function(struct supervisor *supervisor, struct copy *copy)
{
    if (make_child(supervisor, copy->process_1, function_flags, &copy->function) < 0)
        return -1;
    return settle_parent(supervisor, copy->process_1, &copy->number);
}

static int grow(struct supervisor *supervisor, struct copy *copy)
{
    struct destiny destiny;
    if (sscanf(copy->request.text, "copy %u %u %u %u %lu", &destiny.inside.user_id, &destiny.inside.group_id,
               &destiny.outside.user_id, &destiny.outside.group_id, &destiny.most_processes) != 5)
        return refuse_because(supervisor, "an unknown request");
    if (bear(supervisor, copy) < 0 || make_function(supervisor, copy) < 0 ||
        hear_launcher(supervisor, copy, "mapped") < 0)
        return -1;
    if (become_process_1(supervisor, copy->process_1, copy->channel, copy->number) < 0)
        return -1;
    if (close_inside(supervisor, copy->function, copy->channel) < 0 ||
        hear_launcher(supervisor, copy, "furnished") < 0)
        return -1;
    struct message given = {.descriptors = {copy->request.descriptors[OUTPUT], copy->request.descriptors[TELEMETRY]},
                            .count = 2};
    if (copy->answer.count > 0)
        given.descriptors[given.count++] = copy->answer.descriptors[0];
    if (become_function(supervisor, copy->function, &destiny, &given) < 0 ||
        verify_function(supervisor, copy->function, copy->process_1, &destiny.outside) < 0)
        return -1;
    if (tell_launcher(supervisor, copy, "ready", NULL, 0) < 0 || hear_launcher(supervisor, copy, "release") < 0)
        return -1;
    return let_go_on(supervisor, copy->function);
}

/* Process 1 takes all of its namespace along; what we trace is to be waited for by us. */
static void give_up(struct supervisor *supervisor, struct copy *copy)
{
    char text[MOST_MESSAGE_BYTES];
    snprintf(text, sizeof text, "error copy %s", supervisor->reason);
    if (copy->process_1 > 0)
        kill(copy->process_1, SIGKILL);
    if (copy->function > 0)
        drop_traced(copy->function);
    if (copy->process_1 > 0)
        drop_traced(copy->process_1);
    send_message(copy->request.descriptors[REPLY], text, NULL, 0);
}

/* Answers one request; false when there will be none. The held process is held afterwards, or it is gone. */
bool serve_copy(struct supervisor *supervisor)
{
    static struct copy copy;
    long unused;
    copy = (struct copy){.handle = -1};
    if (receive_message(supervisor->requests, &copy.request) <= 0)
        return false;
    supervisor->reason[0] = '\0';
    supervisor->is_settled = true;
    if (copy.request.count < FIRST_TASK_FILE) {
        close_descriptors(&copy.request);
        return true;
    }
    if (supervisor->held <= 0)
        refuse_because(supervisor, "the snapshot has gone");
    if (supervisor->held <= 0 || grow(supervisor, &copy) < 0)
        give_up(supervisor, &copy);
    supervisor->reason[0] = '\0';
    /* Not before, so that nobody waits for it. */
    if (supervisor->held > 0 && !supervisor->is_settled && settle_parent(supervisor, supervisor->held, &unused) < 0)
        drop_held(supervisor);
    close_descriptors(&copy.request);
    close_descriptors(&copy.answer);
    if (copy.handle >= 0)
        close(copy.handle);
    return true;
}
