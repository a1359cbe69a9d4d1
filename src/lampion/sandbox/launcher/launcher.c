/*
 * lampion-launch CONTROL DESCRIPTION OUTPUT TELEMETRY: runs one process in a sandbox of its own.
 *
 * The arguments are descriptors: a SOCK_SEQPACKET socket to the server, a file with the description (description.c),
 * and the pipes that become standard output and error, and descriptor 3, of the function.
 *
 * To the server:  "running" with the Runtime API's listening socket | "error STEP WHAT: WHY"
 *                 "exit code|signal NUMBER oom COUNT peak BYTES killed 0|1", after which nothing of the sandbox exists
 * From it:        "term" | "kill"; the end of the socket means "kill" too.
 *
 * server -> launcher (host's namespaces) -> process 1 (all new namespaces) -> the function's process
 */
#include "launcher.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct launch launch;

static int detach_from_terminal(struct launch *l);
static int create_channel(struct launch *l);
static int create_init(struct launch *l);
static int release_init(struct launch *l);
static int await_release(struct launch *l);
static int hide_cgroup_path(struct launch *l);
static int set_host_name(struct launch *l);

/* The launcher, on the host. */
static const struct step outer_steps[] = {
    /* First: Ctrl-C at the server's terminal must not end us before we have cleaned up. */
    {"terminal", detach_from_terminal},
    /* Before anything is made, so that a bad description leaves nothing behind. */
    {"description", read_description},
    /* Before the process, so that it never runs without its limits. */
    {"cgroups", create_cgroups},
    {"channel", create_channel},
    /* All namespaces at once, so that none of them is ever seen half made. */
    {"namespaces", create_init},
    /* While the process waits: it can't act in its user namespace before it has an id there. */
    {"ids", map_ids},
    {"release", release_init},
    {NULL, NULL},
};

/* Process 1, inside. */
static const struct step inner_steps[] = {
    /* First: in a user namespace we may do nothing before our ids are mapped. */
    {"release", await_release},
    /* While the host's cgroups can be seen, and before anything else, so that all of it is accounted and limited. */
    {"limits", enter_cgroups},
    /* After entering the cgroups: where we are now becomes the root of what /proc/self/cgroup shows. */
    {"cgroup-namespace", hide_cgroup_path},
    /* Before the first mount, or the host would see it. */
    {"propagation", stop_mount_propagation},
    /* While paths of the host still mean something, and while we may read what only the server may. */
    {"sources", open_sources},
    /* In the new process namespace, so that it shows only our own; while the host's is in sight (see there). */
    {"proc", open_proc},
    /* Before the tree is built, so that no link in it can lead to the host. */
    {"root", enter_new_root},
    {"tree", build_tree},
    /* Before /proc, whose dangerous files are covered with /dev/null. */
    {"devices", mount_devices},
    {"proc-masks", mount_proc},
    {"tmp", mount_temporary},
    /* After the last mount point has been made. */
    {"seal", seal_root},
    {"host-name", set_host_name},
    /* The rest needs capabilities, so it precedes their loss. */
    {"loopback", raise_loopback},
    {"runtime-api", open_listener},
    {"pipes", give_away_pipes},
    {"rlimits", set_resource_limits},
    /* Last: from here on nothing can be changed, by us or by the function. */
    {"privileges", drop_privileges},
    {"init", run_init},
    {NULL, NULL},
};

const char *take_steps(const struct step *steps, struct launch *l)
{
    for (; steps->name != NULL; steps++) {
        l->detail[0] = '\0';
        if (steps->take(l) < 0)
            return steps->name;
    }
    return NULL;
}

static int detach_from_terminal(struct launch *l)
{
    (void)l;
    sigset_t all;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -1;
    /* Who leads a process group can't leave it, and needn't. */
    return setsid() < 0 && errno != EPERM ? -1 : 0;
}

static int create_channel(struct launch *l)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    l->outside = ends[0];
    l->inside = ends[1];
    return 0;
}

/* Everybody in the sandbox may read the command line of process 1, which would tell where on the host we are. */
static void rename_init(struct launch *l)
{
    for (char **word = l->arguments; *word != NULL; word++)
        memset(*word, 0, strlen(*word));
    memcpy(l->arguments[0], "/init", sizeof "/init");
}

static void run_inner_steps(struct launch *l)
{
    rename_init(l);
    close(l->control);
    close(l->outside);
    umask(0);
    const char *failed = take_steps(inner_steps, l);
    send_error(l->inside, failed, l, errno);
    _exit(1);
}

static int create_init(struct launch *l)
{
    struct clone_args wanted = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET, .exit_signal = SIGCHLD};
    int cgroup = open_birth_cgroup(l);
    if (cgroup >= 0) {
        wanted.flags |= CLONE_INTO_CGROUP;
        wanted.cgroup = (unsigned long long)cgroup;
    }
    if (l->wanted.has_user_namespace)
        wanted.flags |= CLONE_NEWUSER;
    long pid = syscall(SYS_clone3, &wanted, sizeof wanted);
    if (pid == 0)
        run_inner_steps(l);
    int error = errno;
    if (cgroup >= 0)
        close(cgroup);
    errno = error;
    if (pid < 0)
        return -1;
    l->init = (pid_t)pid;
    close(l->inside);
    close(l->output);
    close(l->telemetry);
    return 0;
}

static int release_init(struct launch *l)
{
    return l->wanted.has_user_namespace ? send_message(l->outside, "go", -1) : 0;
}

static int await_release(struct launch *l)
{
    char message[MOST_MESSAGE_BYTES];
    int descriptor;
    if (!l->wanted.has_user_namespace || receive_message(l->inside, message, sizeof message, &descriptor) > 0)
        return 0;
    errno = EPIPE;
    return -1;
}

static int hide_cgroup_path(struct launch *l)
{
    (void)l;
    return unshare(CLONE_NEWCGROUP);
}

static int set_host_name(struct launch *l)
{
    (void)l;
    return sethostname("localhost", strlen("localhost"));
}

int main(int count, char **arguments)
{
    struct ending ending = {0};
    if (count != 5 || strlen(arguments[0]) < strlen("/init")) {
        fprintf(stderr, "usage: lampion-launch CONTROL DESCRIPTION OUTPUT TELEMETRY\n");
        return 2;
    }
    launch.arguments = arguments;
    launch.control = atoi(arguments[1]);
    launch.description = atoi(arguments[2]);
    launch.output = atoi(arguments[3]);
    launch.telemetry = atoi(arguments[4]);
    const char *failed = take_steps(outer_steps, &launch);
    if (failed != NULL) {
        send_error(launch.control, failed, &launch, errno);
        ending.has_failed = true;
        if (launch.init > 0)
            kill_all(&launch, &ending);
    } else {
        supervise(&launch, &ending);
    }
    if (launch.init > 0)
        await_end(&launch, &ending);
    long long oom_kills = read_counter(launch.wanted.oom_file, "oom_kill");
    long long peak_bytes = read_counter(launch.wanted.peak_file, NULL);
    remove_cgroups(&launch, ending.is_server_gone);
    if (!ending.has_failed)
        report_end(&launch, &ending, oom_kills, peak_bytes);
    return ending.has_failed ? 1 : 0;
}
