/*
 * The launcher's part when an environment is copied from a snapshot: everything around the copy is made here, in steps
 * that launcher.c lists; the copy itself is the supervisor's (copy.c has the conversation with it).
 */
#include "snapshot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int protocol_error(struct launch *launch, const char *text)
{
    set_detail(launch, text);
    errno = EPROTO;
    return -1;
}

/* Waits for a message that begins with `word`; another one is an error's text. */
static int hear(struct launch *launch, int channel, const char *word, struct message *message)
{
    struct pollfd source = {.fd = channel, .events = POLLIN};
    if (poll(&source, 1, 2 * STEP_MILLISECONDS) <= 0)
        return protocol_error(launch, "no answer in time");
    /* Once more: an end that left something of ours unread is told before what was said last. */
    if (receive_message(channel, message) <= 0 && receive_message(channel, message) <= 0)
        return protocol_error(launch, "the snapshot has gone");
    if (strncmp(message->text, word, strlen(word)) == 0)
        return 0;
    const char *reason = strstr(message->text, "error copy ") == message->text ? message->text + 11 : message->text;
    return protocol_error(launch, reason);
}

enum { END_MILLISECONDS = 500 /* its end takes a moment longer than that of what was in its namespace */ };

/* Whichever step failed for it: when process 1 has gone, the supervisor gave it up, and says why. */
void explain_failure(struct launch *launch)
{
    struct pollfd process = {.fd = launch->init_handle, .events = POLLIN};
    struct message message;
    char known[sizeof launch->detail];
    int error = errno;
    memcpy(known, launch->detail, sizeof known);
    if (launch->init > 0 && poll(&process, 1, END_MILLISECONDS) > 0 &&
        hear(launch, launch->hello_in, "error copy ", &message) == 0) {
        set_detail(launch, message.text + strlen("error copy "));
        errno = ECANCELED;
        return;
    }
    /* It was said already, to the step that failed, or nothing was. */
    memcpy(launch->detail, known, sizeof known);
    errno = error;
}

/* Asks for process 1. Its channel is process 1's end to us, as in any sandbox. */
int ask_for_copy(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    int ends[2], descriptors[MOST_CGROUPS + 3], pid;
    struct message message;
    char text[96];
    if (launch->zygote < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    launch->hello_in = ends[0];
    int count = open_task_files(launch, descriptors + 3);
    if (count < 0)
        return -1;
    descriptors[0] = ends[1];
    descriptors[1] = launch->output;
    descriptors[2] = launch->telemetry;
    snprintf(text, sizeof text, "copy %u %u %u %u %lld", wanted->inside.user_id, wanted->inside.group_id,
             wanted->outside.user_id, wanted->outside.group_id, wanted->limits[0].hard);
    int result = send_message(launch->zygote, text, descriptors, 3 + count);
    for (int i = 0; i < count; i++)
        close(descriptors[3 + i]);
    close(ends[1]);
    close(launch->zygote);
    close_function_ends(launch);
    if (result < 0 || hear(launch, launch->hello_in, "born ", &message) < 0)
        return -1;
    if (message.count != 2 || sscanf(message.text, "born %d", &pid) != 1)
        return protocol_error(launch, message.text);
    launch->init = pid;
    launch->init_handle = message.descriptors[0];
    launch->outside = message.descriptors[1];
    return 0;
}

int tell_mapped(struct launch *launch)
{
    return send_message(launch->hello_in, "mapped", NULL, 0);
}

/* Everything is in place: the server gets what it serves first, and then the copy goes on. */
int release_copy(struct launch *launch)
{
    struct message message;
    if (send_message(launch->hello_in, "furnished", &launch->rules, launch->rules < 0 ? 0 : 1) < 0)
        return -1;
    if (hear(launch, launch->hello_in, "ready", &message) < 0 || hear(launch, launch->outside, "here", &message) < 0)
        return -1;
    if (send_message(launch->control, "prepared", launch->listeners, LISTENER_COUNT) < 0 ||
        send_message(launch->hello_in, "release", NULL, 0) < 0)
        return -1;
    close_listeners(launch);
    close(launch->hello_in);
    return send_message(launch->control, "running", NULL, 0);
}
