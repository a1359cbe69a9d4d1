/* Short messages between server, launcher, process 1 and zygote, over SOCK_SEQPACKET sockets. */
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union descriptor_buffer {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
};

int send_message(int channel, const char *text, const int *descriptors, int count)
{
    struct iovec content = {.iov_base = (void *)text, .iov_len = strlen(text)};
    union descriptor_buffer buffer = {0};
    struct msghdr head = {.msg_iov = &content, .msg_iovlen = 1};
    if (count > 0) {
        head.msg_control = buffer.bytes;
        head.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * (size_t)count);
    }
    ssize_t sent;
    do
        sent = sendmsg(channel, &head, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* The length of the text; 0 when the other side has gone. */
ssize_t receive_message(int channel, struct message *message)
{
    struct iovec content = {.iov_base = message->text, .iov_len = sizeof message->text - 1};
    union descriptor_buffer buffer;
    struct msghdr head = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = buffer.bytes, .msg_controllen = sizeof buffer.bytes};
    ssize_t length;
    message->count = 0;
    do
        length = recvmsg(channel, &head, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == ECONNRESET ? 0 : -1;
    message->text[length] = '\0';
    struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
        message->count = (int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(message->descriptors, CMSG_DATA(rights), sizeof(int) * (size_t)message->count);
    }
    return length;
}

void close_descriptors(struct message *message)
{
    while (message->count > 0)
        close(message->descriptors[--message->count]);
}

int send_error(int channel, const char *step, const struct launch *launch, int error)
{
    char text[MOST_MESSAGE_BYTES];
    const char *separator = launch->detail[0] != '\0' ? ": " : "";
    snprintf(text, sizeof text, "error %s %s%s%s", step, launch->detail, separator, strerror(error));
    return send_message(channel, text, NULL, 0);
}

void set_detail(struct launch *launch, const char *text)
{
    snprintf(launch->detail, sizeof launch->detail, "%s", text);
}
