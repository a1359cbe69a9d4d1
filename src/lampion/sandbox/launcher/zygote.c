/* The launcher's and process 1's side of a zygote: how a process of its gets into a sandbox (fork_server.c). */
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The function's process is to be made, now that process 1 has made everything that it enters. */
int ask_zygote(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    int descriptors[MOST_CGROUPS + 6] = {launch->init_handle, launch->hello_out, launch->output, launch->telemetry,
                                         launch->orders_in};
    char text[MOST_MESSAGE_BYTES];
    int count = 5, birth_cgroup = open_birth_cgroup(launch);
    if (birth_cgroup >= 0)
        descriptors[count++] = birth_cgroup;
    int task_files = open_task_files(launch, descriptors + count);
    if (task_files < 0)
        return -1;
    count += task_files;
    snprintf(text, sizeof text, "fork %u %u %d %d", wanted->inside.user_id, wanted->inside.group_id,
             wanted->has_user_namespace, birth_cgroup >= 0);
    int result = launch->zygote < 0 ? (errno = EBADF, -1) : send_message(launch->zygote, text, descriptors, count);
    int error = errno;
    while (count > 5)
        close(descriptors[--count]);
    close(launch->hello_out);
    close(launch->zygote);
    close_function_ends(launch);
    errno = error;
    return result;
}

/* Process 1 hears from the new process itself what number it has here; its silence means that it didn't come to be. */
int await_forked(struct launch *launch)
{
    struct message message;
    int number = 0;
    close(launch->hello_out);
    close_function_ends(launch);
    if (send_message(launch->inside, "enter", NULL, 0) < 0)
        return -1;
    ssize_t length = receive_message(launch->hello_in, &message);
    close(launch->hello_in);
    if (length > 0 && sscanf(message.text, "here %d", &number) == 1) {
        launch->function = number;
        set_detail(launch, "processes");
        return limit_processes_of(launch, launch->function);
    }
    if (length > 0) {
        send_message(launch->inside, message.text, NULL, 0);
        _exit(1);
    }
    set_detail(launch, "zygote");
    errno = ECONNRESET;
    return -1;
}
