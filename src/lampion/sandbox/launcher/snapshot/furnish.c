/*
 * What an environment has of its own beside its process: /tmp, /dev/shm, /proc, a name, a network, the Runtime API's
 * socket. Made by a process of ours that enters its namespaces: the copy could do none of it.
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int enter_environment(struct launch *launch)
{
    const int kinds = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    if (setns(launch->init_handle, kinds) < 0)
        return -1;
    umask(0);
    return chdir("/");
}

/* The origin's /tmp stays below the new one, out of everybody's reach; what Init wrote there is copied. */
static int replace_temporary(struct launch *launch)
{
    int old = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (old < 0 || mount_temporary(launch) < 0 || size_shared_memory(launch) < 0)
        return -1;
    set_detail(launch, "what Init left in /tmp");
    int new = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (new < 0)
        return -1;
    int result = copy_directory(old, new, &launch->wanted.inside);
    close(new);
    close(old);
    return result;
}

static const struct step furnish_steps[] = {
    /* While the host's is in sight (proc.c), and as a member of the new process namespace. */
    {"proc", open_proc},
    {"namespaces", enter_environment},
    {"keeper", become_keeper},
    {"tmp", replace_temporary},
    {"proc-masks", mount_proc},
    {"host-name", set_host_name},
    {"loopback", raise_loopback},
    {"listeners", open_listeners},
    /* After the last mount: rules name directories as they are. */
    {"landlock", make_rules},
    {NULL, NULL},
};

static void furnish_inside(struct launch *launch, int report)
{
    const char *failed = take_steps(furnish_steps, launch);
    int made[LISTENER_COUNT + 1];
    memcpy(made, launch->listeners, sizeof launch->listeners);
    made[LISTENER_COUNT] = launch->rules;
    if (failed != NULL)
        send_error(report, failed, launch, errno);
    else
        send_message(report, "made", made, launch->rules < 0 ? LISTENER_COUNT : LISTENER_COUNT + 1);
    _exit(0);
}

static int hear_furnished(struct launch *launch, int report)
{
    struct message message;
    struct pollfd source = {.fd = report, .events = POLLIN};
    if (poll(&source, 1, STEP_MILLISECONDS) <= 0 || receive_message(report, &message) <= 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (strcmp(message.text, "made") != 0 || message.count < LISTENER_COUNT) {
        set_detail(launch, message.text);
        errno = ECANCELED;
        return -1;
    }
    memcpy(launch->listeners, message.descriptors, sizeof launch->listeners);
    launch->rules = message.count > LISTENER_COUNT ? message.descriptors[LISTENER_COUNT] : -1;
    return 0;
}

int furnish(struct launch *launch)
{
    int ends[2];
    /* Counts for children: ours is to see the environment's processes in the /proc that it mounts. */
    if (setns(launch->init_handle, CLONE_NEWPID) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid_t inside = fork();
    if (inside == 0)
        furnish_inside(launch, ends[1]);
    close(ends[1]);
    int result = inside < 0 ? -1 : hear_furnished(launch, ends[0]);
    int error = errno;
    if (result < 0 && inside > 0)
        kill(inside, SIGKILL);
    while (inside > 0 && waitpid(inside, NULL, 0) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    errno = error;
    return result;
}
