/*
 * lampion-launch CONTROL [own-user-namespace]: makes sandboxes for one server, for as long as the socket CONTROL lasts
 * (daemon.c). Each sandbox has a launcher process of its own, which lives through what is listed here.
 *
 * A sandbox is made in two parts. First it is *prepared*: all that doesn't depend on the function, perhaps with a
 * process in it that waits. Later it is *specialised*: it gets one function's files, limits and environment. No code of
 * a function runs in between, so a prepared sandbox is as good as a new one.
 *
 * To the server:  "prepared" with the listening sockets | "running" | "error STEP WHAT: WHY"
 *                 "socket" with one of the sandbox's network, as ordered; without, when it can have no more
 *                 "exit code|signal NUMBER oom COUNT peak BYTES killed 0|1", after which nothing of the sandbox exists
 *                 with companions, "process NUMBER code|signal|error NUMBER oom COUNT" for each: see companions.c
 * From it:        "specialise" with a second description, and a pipe for companions | "socket" | "term" | "kill"; the end of the
 *                 socket means "kill" too. With companions, "main" | "end NUMBER".
 *
 * server -> launcher (host's namespaces) -> process 1 (all new namespaces) -> the function's process
 */
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The launcher prepares a sandbox. */
static const struct step outer_steps[] = {
    /* Before the process, so that it never runs without its limits. */
    {"cgroups", create_cgroups},
    {"rlimits", set_resource_limits},
    /* While we may still do what only the server may, and while paths of the host mean something. */
    {"pipes", give_away_pipes},
    {"devices", open_devices},
    {"sources", open_sources},
    {"channels", create_channels},
    /* All namespaces at once, so that none of them is ever seen half made. */
    {"namespaces", create_init},
    /* While the process waits: it can't act in its user namespace before it has an id there. */
    {"ids", map_ids},
    /* Before process 1 attaches them: what is attached can't be changed so any more. */
    {"owners", show_owners},
    {"sources", let_go_of_sources},
    {"release", release_init},
    /* While process 1 is busy, and after its birth, so that it gets only what it is handed. */
    {"disk", open_disk},
    {"hand-over", hand_disk},
    {NULL, NULL},
};

/* The launcher makes a sandbox around processes that are copied from a snapshot (snapshot/snapshot.h). */
static const struct step copy_steps[] = {
    {"cgroups", create_cgroups},
    {"pipes", give_away_pipes},
    /* The first copy, which waits in new namespaces, as a user that doesn't exist there. */
    {"copy", ask_for_copy},
    {"ids", map_ids},
    {"mapped", tell_mapped},
    /* As late as a sandbox's, for making it takes long. */
    {"disk", open_disk},
    {"furnish", furnish},
    {"release", release_copy},
    {NULL, NULL},
};

/* Process 1 prepares it from inside. */
static const struct step inner_steps[] = {
    /* First: in a user namespace we may do nothing before our ids are mapped. */
    {"release", await_release},
    /* While the host's cgroups can be seen, and before anything else, so that all of it is accounted and limited. */
    {"limits", enter_cgroups},
    /* After entering the cgroups: where we are now becomes the root of what /proc/self/cgroup shows. */
    {"cgroup-namespace", hide_cgroup_path},
    /* Before the first mount, or the host would see it. */
    {"propagation", stop_mount_propagation},
    /* Before the first file is made, for it belongs to who makes it. */
    {"keeper", become_keeper},
    /* Only now, in the user namespace (see there). */
    {"processes", limit_processes},
    /* In the new process namespace, so that it shows only our own; while the host's is in sight (see there). */
    {"proc", open_proc},
    /* Before the tree is built, so that no link in it can lead to the host. */
    {"root", enter_new_root},
    {"tree", build_tree},
    /* Before /proc, whose dangerous files are covered with /dev/null. */
    {"devices", mount_devices},
    {"proc-masks", mount_proc},
    {"host-name", set_host_name},
    {"loopback", raise_loopback},
    {"listeners", open_listeners},
    /* Late, for making a disk takes the launcher longer than all of this; before a process that is to use it. */
    {"disk", take_disk},
    {"tmp", mount_temporary},
    {"init", run_init},
    {NULL, NULL},
};

/* The launcher's part when a function gets the sandbox. */
static const struct step outer_special_steps[] = {
    {"description", read_description},
    {"companions", give_away_companion_pipe},
    /* Before the function's first instruction. */
    {"limits", write_settings},
    {"sources", open_sources},
    {"owners", show_owners},
    {"file-system", open_shared},
    {"hand-over", hand_trees},
    {NULL, NULL},
};

/* Process 1's part. */
static const struct step inner_special_steps[] = {
    {"description", read_description},
    {"trees", take_trees},
    {"tree", build_tree},
    {"shared-memory", size_shared_memory},
    /* After the last mount point has been made. */
    {"seal", seal_root},
    /* Takes what `privileges` takes away, and comes before it: afterwards nobody here can mount anything. */
    {"function", start_function},
    {"companions", start_companions},
    /* Process 1 may share the function's user; this keeps the function out of its memory and descriptors. */
    {"closed", close_to_others},
    {"orders", give_orders},
    /* Last, so that the function waits for nothing that is only ours. */
    {"privileges", drop_privileges},
    {"seccomp", filter_system_calls},
    {NULL, NULL},
};

/* The function's process, started by process 1. */
static const struct step function_steps[] = {
    /* Signals to the session or the process group of the launcher aren't meant for the function. */
    {"session", leave_session},
    /* Blocked and ignored signals would pass through the exec. */
    {"signals", reset_signals},
    {"working-directory", enter_working_directory},
    /* Nothing that was open here may be open there. */
    {"descriptors", arrange_descriptors},
    {"privileges", drop_privileges},
    {"landlock", restrict_writing},
    /* Before the other filter, which lets nobody add one. */
    {"modes", filter_modes},
    /* Last, for it refuses what the steps before do; it needs that privileges can't come back. */
    {"seccomp", filter_system_calls},
    /* With companions, which come first. */
    {"gate", await_gate},
    {"exec", execute},
    {NULL, NULL},
};

/* A zygote: a process of our own, in a file system like a sandbox's, which makes processes for prepared sandboxes. */
static const struct step zygote_steps[] = {
    {"propagation", stop_mount_propagation},
    {"root", enter_new_root},
    {"tree", build_tree},
    {"devices", mount_devices},
    {"seal", seal_root},
    {"session", leave_session},
    {"signals", reset_signals},
    {"working-directory", enter_working_directory},
    {"descriptors", arrange_descriptors},
    /* It has to enter sandboxes, and needs nothing else of what root may. */
    {"capabilities", keep_entry_capabilities},
    {"exec", execute},
    {NULL, NULL},
};

int specialise_outside(struct launch *launch)
{
    const char *failed = take_steps(outer_special_steps, launch);
    return failed == NULL ? 0 : (send_error(launch->control, failed, launch, errno), -1);
}

int specialise_inside(struct launch *launch)
{
    const char *failed = take_steps(inner_special_steps, launch);
    return failed == NULL ? 0 : (send_error(launch->inside, failed, launch, errno), -1);
}

void run_function(struct launch *launch, int report)
{
    const char *failed = take_steps(function_steps, launch);
    send_error(report, failed, launch, errno);
    _exit(127);
}

void run_accompanied(struct launch *launch, int report)
{
    take_steps(function_steps, launch);
    int error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* Everybody in the sandbox may read the command line of process 1, which would tell where on the host we are. */
void rename_init(struct launch *launch)
{
    for (char **word = launch->arguments; *word != NULL; word++)
        memset(*word, 0, strlen(*word));
    memcpy(launch->arguments[0], "/init", sizeof "/init");
}

/* What the new process does. */
void run_inside(struct launch *launch)
{
    rename_init(launch);
    close(launch->control);
    close(launch->outside);
    umask(0);
    const char *failed = take_steps(launch->wanted.is_zygote ? zygote_steps : inner_steps, launch);
    send_error(launch->inside, failed, launch, errno);
    _exit(1);
}

/* The whole life of one launcher process. */
void run_launch(struct launch *launch)
{
    struct ending ending = {0};
    launch->disk = -1;
    signal(SIGCHLD, SIG_DFL);
    /* Before anything is made, so that a bad description leaves nothing behind. */
    const char *failed = "description";
    if (read_description(launch) == 0)
        failed = take_steps(launch->wanted.is_copy ? copy_steps : outer_steps, launch);
    if (failed != NULL) {
        if (launch->wanted.is_copy)
            explain_failure(launch);
        send_error(launch->control, failed, launch, errno);
        ending.has_failed = true;
        if (launch->init > 0)
            kill_all(launch, &ending);
    } else {
        supervise(launch, &ending);
    }
    if (launch->init > 0)
        await_end(launch, &ending);
    long long oom_kills = read_counter(launch->wanted.oom_file, "oom_kill");
    long long peak_bytes = read_counter(launch->wanted.peak_file, NULL);
    remove_cgroups(launch, ending.is_server_gone);
    if (!ending.has_failed)
        report_end(launch, &ending, oom_kills, peak_bytes);
    /* Nobody waits for it: taking a full disk apart takes a while. */
    close(launch->control);
    drop_disk(launch);
    _exit(ending.has_failed);
}
