/*
 * The server's connection to its launchers: one message a sandbox, answered by a process that makes it. Being small and
 * forked, not executed, such a process costs a tenth of a millisecond.
 *
 * From the server: "launch" with the descriptors control, description, output, telemetry and perhaps a zygote's socket.
 */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct launch launch;

static void detach_from_terminal(void)
{
    /* Ctrl-C at the server's terminal must not end us before we have cleaned up. */
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
}

/*
 * An ordinary user is root in a user namespace of its own, which the server maps meanwhile: then all else is the same
 * for everybody.
 */
static int enter_own_user_namespace(int server)
{
    struct message message;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || send_message(server, "unshared", NULL, 0) < 0)
        return -1;
    if (receive_message(server, &message) <= 0)
        return -1;
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return -1;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void become_launcher(int server, const struct message *request)
{
    close(server);
    launch.control = request->descriptors[0];
    launch.description = request->descriptors[1];
    launch.output = request->descriptors[2];
    launch.telemetry = request->descriptors[3];
    launch.zygote = request->count > 4 ? request->descriptors[4] : -1;
    run_launch(&launch);
}

static int serve(int server)
{
    struct message request;
    ssize_t length;
    while ((length = receive_message(server, &request)) > 0) {
        if (strcmp(request.text, "launch") == 0 && request.count >= 4 && fork() == 0)
            become_launcher(server, &request);
        /* When there was no fork, the server sees its ends close. */
        close_descriptors(&request);
    }
    return length < 0;
}

int main(int count, char **arguments)
{
    launch.arguments = arguments;
    if (count == 4 && strcmp(arguments[1], "try-disk") == 0)
        return try_disk(&launch, arguments[2], arguments[3]);
    if (count == 4 && strcmp(arguments[1], "process-1") == 0)
        return run_stub(&launch, arguments[2], arguments[3]);
    if (count < 2 || count > 3 || strlen(arguments[0]) < strlen("/init")) {
        fprintf(stderr, "usage: lampion-launch CONTROL [own-user-namespace] | try-disk IMAGE DIRECTORY\n");
        return 2;
    }
    int server = atoi(arguments[1]);
    detach_from_terminal();
    build_filter();
    look_at_core_pattern();
    signal(SIGCHLD, SIG_IGN); /* launchers tell the server themselves how they ended */
    if (count == 3 && enter_own_user_namespace(server) < 0) {
        send_error(server, "user-namespace", &launch, errno);
        return 1;
    }
    setgroups(0, NULL); /* a user who may not do this has none that matter: see map_ids */
    return serve(server);
}
