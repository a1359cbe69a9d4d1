/*
 * A zygote's whole work, in the memory of an interpreter that has started: on request it makes a copy of its process
 * inside a prepared sandbox. The copy has nothing of the zygote but its memory, in which nothing of any function is.
 *
 * zygote -> a process in the sandbox's process namespace that shares the zygote's memory, forks, and ends
 *        -> the copy; as its parent has ended, process 1 of the sandbox becomes its parent.
 */
#include "../launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptors of a request, in their order; those of cgroup files follow. */
enum { INIT_HANDLE, HELLO, OUTPUT, TELEMETRY, ORDERS, FIRST_TASK_FILE };

static struct launch copy;
static struct message request;

static int enter_cgroups_by_files(struct launch *launch)
{
    (void)launch;
    for (int i = FIRST_TASK_FILE; i < request.count; i++)
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
    return (int)syscall(SYS_close_range, FIRST_UNUSED_DESCRIPTOR, ~0U, 0);
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

const char *take_steps(const struct step *steps, struct launch *launch)
{
    for (; steps->name != NULL; steps++) {
        launch->detail[0] = '\0';
        if (steps->take(launch) < 0)
            return steps->name;
    }
    return NULL;
}

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
    int has_user_namespace;
    if (request.count < FIRST_TASK_FILE || sscanf(request.text, "fork %u %u %d", &wanted->inside.user_id,
                                                  &wanted->inside.group_id, &has_user_namespace) != 3)
        return -1;
    wanted->has_user_namespace = has_user_namespace;
    copy.init_handle = request.descriptors[INIT_HANDLE];
    copy.hello_out = request.descriptors[HELLO];
    copy.output = request.descriptors[OUTPUT];
    copy.telemetry = request.descriptors[TELEMETRY];
    copy.orders_in = request.descriptors[ORDERS];
    return 0;
}

/* 1 in the zygote, 0 in the copy. */
static int make_copy(void)
{
    int status;
    /* From now on for children only. It fails when the sandbox has ended already; then there is nobody to tell. */
    if (understand_request() < 0 || setns(copy.init_handle, CLONE_NEWPID) < 0)
        return 1;
    pid_t between = vfork();
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

int serve_as_zygote(int requests)
{
    build_filter();
    while (receive_message(requests, &request) > 0) {
        if (make_copy() == 0)
            return 0;
        close_descriptors(&request);
    }
    return -1;
}
