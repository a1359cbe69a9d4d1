/* Short messages between server, launcher and process 1, over SOCK_SEQPACKET sockets. */
#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union descriptor_buffer {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int send_message(int channel, const char *message, int descriptor)
{
    struct iovec content = {.iov_base = (void *)message, .iov_len = strlen(message)};
    union descriptor_buffer buffer = {0};
    struct msghdr head = {.msg_iov = &content, .msg_iovlen = 1};
    if (descriptor >= 0) {
        head.msg_control = buffer.bytes;
        head.msg_controllen = sizeof buffer.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    ssize_t sent;
    do
        sent = sendmsg(channel, &head, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* The length of the message; 0 when the other side has gone. */
ssize_t receive_message(int channel, char *message, size_t size, int *descriptor)
{
    struct iovec content = {.iov_base = message, .iov_len = size - 1};
    union descriptor_buffer buffer = {0};
    struct msghdr head = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = buffer.bytes, .msg_controllen = sizeof buffer.bytes};
    ssize_t length;
    do
        length = recvmsg(channel, &head, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == ECONNRESET ? 0 : -1;
    message[length] = '\0';
    *descriptor = -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(rights), sizeof *descriptor);
    return length;
}

int send_error(int channel, const char *step, const struct launch *launch, int error)
{
    char message[MOST_MESSAGE_BYTES];
    const char *separator = launch->detail[0] != '\0' ? ": " : "";
    snprintf(message, sizeof message, "error %s %s%s%s", step, launch->detail, separator, strerror(error));
    return send_message(channel, message, -1);
}

void set_detail(struct launch *launch, const char *text)
{
    snprintf(launch->detail, sizeof launch->detail, "%s", text);
}
