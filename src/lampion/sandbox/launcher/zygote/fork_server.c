/*
 * A zygote's whole work, in the memory of an interpreter that has started: on request it makes a copy of its process
 * inside a prepared sandbox. The copy has nothing of the zygote but its memory, in which nothing of any function is.
 *
 * zygote -> a process in the sandbox's process namespace that forks, and ends; it shares the zygote's memory, or, to be
 *           born in a version 2 cgroup, is a copy itself
 *        -> the copy; as its parent has ended, process 1 of the sandbox becomes its parent.
 */
#include "../launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptors of a request, in their order; those of cgroup files follow. */
enum { INIT_HANDLE, HELLO, OUTPUT, TELEMETRY, ORDERS, FIRST_CGROUP };

static struct launch copy;
static struct message request;
static int birth_cgroup;     /* -1 when there is none */
static int first_task_file;
static bool interpreter_closes_its_own;

static int enter_cgroups_by_files(struct launch *launch)
{
    (void)launch;
    for (int i = first_task_file; i < request.count; i++)
        if (write(request.descriptors[i], "0", 1) < 0)
            return -1;
    return 0;
}

static int enter_namespaces(struct launch *launch)
{
    int kinds = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
    if (launch->wanted.has_user_namespace)
        kinds |= CLONE_NEWUSER;
    if (setns(launch->init_handle, kinds) < 0)
        return -1;
    return chdir("/");
}

/* As after an exec: a process may look at itself. */
static int open_to_itself(struct launch *launch)
{
    (void)launch;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int say_hello(struct launch *launch)
{
    char text[64];
    snprintf(text, sizeof text, "here %d", (int)getpid());
    if (send_message(launch->hello_out, text, NULL, 0) < 0)
        return -1;
    return close(launch->hello_out);
}

/* There is no exec that would close the rest: what the zygote was handed for this copy, and what it has itself. */
static int close_others(struct launch *launch)
{
    (void)launch;
    close_descriptors(&request);
    unsigned int first = interpreter_closes_its_own ? OUT_OF_THE_WAY : FIRST_UNUSED_DESCRIPTOR;
    return (int)syscall(SYS_close_range, first, ~0U, 0);
}

static const struct step copy_steps[] = {
    /* First, so that all of it is accounted and limited. */
    {"limits", enter_cgroups_by_files},
    {"session", leave_session},
    {"namespaces", enter_namespaces},
    /* After entering the namespaces: /dev/null is to be the sandbox's. */
    {"descriptors", arrange_descriptors},
    {"privileges", drop_privileges},
    {"landlock", restrict_writing},
    {"seccomp", filter_system_calls},
    {"memory", open_to_itself},
    {"hello", say_hello},
    {"others", close_others},
    {NULL, NULL},
};

static int become_copy(void)
{
    const char *failed = take_steps(copy_steps, &copy);
    if (failed != NULL) {
        send_error(copy.hello_out, failed, &copy, errno);
        _exit(1);
    }
    return 0;
}

static int understand_request(void)
{
    struct description *wanted = &copy.wanted;
    int has_user_namespace, has_birth_cgroup;
    if (sscanf(request.text, "fork %u %u %d %d", &wanted->inside.user_id, &wanted->inside.group_id,
               &has_user_namespace, &has_birth_cgroup) != 4)
        return -1;
    if (request.count < FIRST_CGROUP + (has_birth_cgroup != 0))
        return -1;
    birth_cgroup = has_birth_cgroup ? request.descriptors[FIRST_CGROUP] : -1;
    first_task_file = FIRST_CGROUP + (has_birth_cgroup != 0);
    wanted->has_user_namespace = has_user_namespace;
    copy.init_handle = request.descriptors[INIT_HANDLE];
    copy.hello_out = request.descriptors[HELLO];
    copy.output = request.descriptors[OUTPUT];
    copy.telemetry = request.descriptors[TELEMETRY];
    copy.orders_in = request.descriptors[ORDERS];
    return 0;
}

/*
 * Moving a process into a version 2 cgroup takes a lock for which the kernel may wait 10 ms. The C library knows nothing
 * of this copy, which does nothing but fork once more.
 */
static pid_t fork_into_cgroup(void)
{
    struct clone_args wanted = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned long long)birth_cgroup};
    return (pid_t)syscall(SYS_clone3, &wanted, sizeof wanted);
}

/* 1 in the zygote, 0 in the copy. */
static int make_copy(void)
{
    int status;
    /* From now on for children only. It fails when the sandbox has ended already; then there is nobody to tell. */
    if (understand_request() < 0 || setns(copy.init_handle, CLONE_NEWPID) < 0)
        return 1;
    pid_t between = birth_cgroup < 0 ? vfork() : fork_into_cgroup();
    if (between == 0) {
        /* Here the zygote stands still, and its memory is ours: do nothing but this. */
        if (fork() != 0)
            _exit(0);
        return become_copy();
    }
    while (between > 0 && waitpid(between, &status, 0) < 0 && errno == EINTR)
        ;
    return 1;
}

int serve_as_zygote(int requests, bool closes_its_own)
{
    interpreter_closes_its_own = closes_its_own;
    build_filter();
    while (receive_message(requests, &request) > 0) {
        if (make_copy() == 0)
            return 0;
        close_descriptors(&request);
    }
    return -1;
}
