/* Process 1 of the sandbox in its new namespaces, and the channels to it. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SANDBOX_NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
    /* A process can only enter process namespaces that descend from its own. */
    ZYGOTE_NAMESPACES = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
};

static int open_channel(int *one, int *other)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    *one = ends[0];
    *other = ends[1];
    return 0;
}

int create_channels(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    int orders[2] = {-1, -1};
    launch->hello_in = launch->hello_out = -1;
    if (open_channel(&launch->outside, &launch->inside) < 0)
        return -1;
    if (wanted->is_forked && open_channel(&launch->hello_in, &launch->hello_out) < 0)
        return -1;
    bool is_to_wait = wanted->is_forked || (wanted->argument_count > 0 && !wanted->is_zygote);
    if (is_to_wait && pipe2(orders, O_CLOEXEC) < 0)
        return -1;
    launch->orders_in = orders[0];
    launch->orders_out = orders[1];
    return 0;
}

static void close_if_open(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

/* What now belongs to process 1 alone; a zygote still has to be given what its process is to have. */
static void let_go(struct launch *launch)
{
    close_if_open(&launch->inside);
    close_if_open(&launch->hello_in);
    close_if_open(&launch->orders_out);
    if (!launch->wanted.is_forked)
        close_function_ends(launch);
    for (int i = 0; i < DEVICE_COUNT; i++)
        close(launch->devices[i]);
    for (; launch->entries_made < launch->wanted.entry_count; launch->entries_made++)
        if (launch->wanted.entries[launch->entries_made].tree >= 0)
            close(launch->wanted.entries[launch->entries_made].tree);
}

int create_init(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    struct clone_args request = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
    request.flags |= wanted->is_zygote ? ZYGOTE_NAMESPACES : SANDBOX_NAMESPACES;
    request.pidfd = (unsigned long long)(unsigned long)&launch->init_handle;
    int cgroup = open_birth_cgroup(launch);
    if (cgroup >= 0) {
        request.flags |= CLONE_INTO_CGROUP;
        request.cgroup = (unsigned long long)cgroup;
    }
    if (wanted->has_user_namespace)
        request.flags |= CLONE_NEWUSER;
    long pid = syscall(SYS_clone3, &request, sizeof request);
    if (pid == 0)
        run_inside(launch);
    int error = errno;
    if (cgroup >= 0)
        close(cgroup);
    errno = error;
    if (pid < 0)
        return -1;
    launch->init = (pid_t)pid;
    let_go(launch);
    return 0;
}

int release_init(struct launch *launch)
{
    return send_message(launch->outside, "go", NULL, 0);
}

int await_release(struct launch *launch)
{
    struct message message;
    if (receive_message(launch->inside, &message) > 0)
        return 0;
    errno = EPIPE;
    return -1;
}

int hide_cgroup_path(struct launch *launch)
{
    (void)launch;
    return unshare(CLONE_NEWCGROUP);
}

int set_host_name(struct launch *launch)
{
    (void)launch;
    return sethostname("localhost", strlen("localhost"));
}
