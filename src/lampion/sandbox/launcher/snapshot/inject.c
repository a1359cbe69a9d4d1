/*
 * System calls done by a process that is held, for us. It stands at the entry of one; its registers are written there
 * and only there, so that it makes our call and comes back to the same instruction, hence to the next entry: between
 * two of our calls it executes nothing of its own.
 */
#include "snapshot.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int start_call(struct supervisor *supervisor, pid_t pid, const struct call *call)
{
    struct registers registers = supervisor->at_fork;
    set_call(&registers, call->number, call->arguments);
    set_repeat(&registers, supervisor->place);
    if (write_registers(pid, &registers) < 0 || resume(pid, 0) < 0)
        return refuse_because(supervisor, "a process has gone");
    return 0;
}

int end_call(struct supervisor *supervisor, pid_t pid, long *result)
{
    struct call_stop stop;
    if (await_exit(supervisor, pid, result) < 0)
        return -1;
    if (resume(pid, 0) < 0 || await_entry(supervisor, pid, &stop) < 0)
        return -1;
    return stop.place == supervisor->place ? 0 : refuse_because(supervisor, "a process went astray");
}

int do_call(struct supervisor *supervisor, pid_t pid, const struct call *call, long *result)
{
    return start_call(supervisor, pid, call) < 0 ? -1 : end_call(supervisor, pid, result);
}

/* As do_call; the call must succeed. */
int must_call(struct supervisor *supervisor, pid_t pid, const char *what, const struct call *call, long *result)
{
    long unused;
    long *place = result == NULL ? &unused : result;
    if (do_call(supervisor, pid, call, place) < 0)
        return -1;
    return *place < 0 ? refuse_because(supervisor, "%s: %s", what, strerror((int)-*place)) : 0;
}

int put(struct supervisor *supervisor, pid_t pid, unsigned long offset, const void *bytes, size_t count)
{
    struct iovec ours = {(void *)bytes, count}, theirs = {(void *)(supervisor->scratch + offset), count};
    if (process_vm_writev(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)count)
        return 0;
    return refuse_because(supervisor, "memory of a process can't be written: %s", strerror(errno));
}

int get(struct supervisor *supervisor, pid_t pid, unsigned long offset, void *bytes, size_t count)
{
    struct iovec ours = {bytes, count}, theirs = {(void *)(supervisor->scratch + offset), count};
    if (process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)count)
        return 0;
    return refuse_because(supervisor, "memory of a process can't be read: %s", strerror(errno));
}

/* As if its fork had returned 0; from now on it does what it likes. */
int let_go_on(struct supervisor *supervisor, pid_t pid)
{
    struct registers registers = supervisor->at_fork;
    long result;
    set_no_call(&registers, 0);
    if (write_registers(pid, &registers) < 0 || resume(pid, 0) < 0)
        return refuse_because(supervisor, "a process has gone");
    /* Not at the entry, where the filter, no longer suspended, would judge a call that there isn't. */
    if (await_exit(supervisor, pid, &result) < 0)
        return -1;
    return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? refuse_because(supervisor, "a process has gone") : 0;
}

struct reception {
    struct msghdr head;
    struct iovec part;
    char text[16];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * (MOST_CGROUPS + 8))];
};

/* What was sent with a message of ours on its `channel`; `numbers` are those that the descriptors have in it. */
int receive_inside(struct supervisor *supervisor, pid_t pid, int channel, int *numbers, int count)
{
    struct reception reception = {0};
    unsigned long base = supervisor->scratch;
    reception.part.iov_base = (void *)(base + offsetof(struct reception, text));
    reception.part.iov_len = sizeof reception.text;
    reception.head.msg_iov = (void *)(base + offsetof(struct reception, part));
    reception.head.msg_iovlen = 1;
    reception.head.msg_control = (void *)(base + offsetof(struct reception, control));
    reception.head.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    if (put(supervisor, pid, 0, &reception, sizeof reception) < 0)
        return -1;
    const struct call call = {__NR_recvmsg, {(unsigned long)channel, base, MSG_CMSG_CLOEXEC | MSG_DONTWAIT}};
    if (must_call(supervisor, pid, "receiving descriptors", &call, NULL) < 0)
        return -1;
    if (get(supervisor, pid, 0, &reception, sizeof reception) < 0)
        return -1;
    const struct cmsghdr *rights = (const struct cmsghdr *)reception.control;
    if (reception.head.msg_flags & MSG_CTRUNC || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(sizeof(int) * (size_t)count))
        return refuse_because(supervisor, "a process can't have as many descriptors");
    memcpy(numbers, CMSG_DATA((struct cmsghdr *)rights), sizeof(int) * (size_t)count);
    return 0;
}
