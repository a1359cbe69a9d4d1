/*
 * The filter before the kernel's door. system_calls.h lists what passes; some calls pass with some arguments only. What
 * this kernel may know but a function has no business with is refused as forbidden; what is newer than this file, as
 * unknown, so that programs fall back to older ways.
 */
#include "launcher.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the list of system calls knows x86-64 and arm64"
#endif

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif

enum {
    LAST_KNOWN = 466,
    X32_CALLS = 0x40000000, /* the other numbering that an x86-64 kernel may understand */
    MOST_INSTRUCTIONS = 1024,
    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
};

#define ARGUMENT(index) (offsetof(struct seccomp_data, args[index])) /* its lower half, on a little-endian machine */
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))

#define CALL(name) __NR_##name,
#define NEW(name, number) number,
static int allowed[] = {
#include "system_calls.h"
};
enum { ALLOWED_COUNT = sizeof allowed / sizeof allowed[0] };

static struct sock_filter program[MOST_INSTRUCTIONS];
static unsigned short length;

static void emit(unsigned short code, unsigned value, unsigned char if_true, unsigned char if_false)
{
    if (length < MOST_INSTRUCTIONS)
        program[length++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(unsigned offset)
{
    emit(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void answer(unsigned action)
{
    emit(BPF_RET | BPF_K, action, 0, 0);
}

/* If the number is `call`, answer. */
static void answer_to(unsigned call, unsigned action)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    answer(action);
}

/* `call` passes if the lower half of an argument is one of `values`. */
static void pass_with(unsigned call, unsigned argument, const unsigned *values, int count, unsigned refusal)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, (unsigned char)(2 * count + 2));
    load(ARGUMENT(argument));
    for (int i = 0; i < count; i++)
        answer_to(values[i], SECCOMP_RET_ALLOW);
    answer(refusal);
}

/* `call` passes unless the lower half of an argument is one of `values`. */
static void pass_without(unsigned call, unsigned argument, const unsigned *values, int count)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, (unsigned char)(2 * count + 2));
    load(ARGUMENT(argument));
    for (int i = 0; i < count; i++)
        answer_to(values[i], REFUSE(EPERM));
    answer(SECCOMP_RET_ALLOW);
}

static void judge_by_arguments(void)
{
    static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6};
    static const unsigned pair_families[] = {AF_UNIX};
    static const unsigned terminal_tricks[] = {TIOCSTI, TIOCLINUX};
    static const unsigned filters[] = {PR_SET_SECCOMP};
    static const unsigned personalities[] = {0, 0x8, 0x20000, 0x20008, 0xffffffff};
    pass_with(__NR_socket, 0, families, 3, REFUSE(EAFNOSUPPORT));
    pass_with(__NR_socketpair, 0, pair_families, 1, REFUSE(EAFNOSUPPORT));
    pass_without(__NR_ioctl, 1, terminal_tricks, 2);
    pass_without(__NR_prctl, 0, filters, 1);
    pass_with(__NR_personality, 0, personalities, 5, REFUSE(EPERM));
    emit(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4);
    load(ARGUMENT(0));
    emit(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
    answer(REFUSE(EPERM));
    answer(SECCOMP_RET_ALLOW);
    /* Its flags lie in memory, where no filter can see them; the C library falls back to clone. */
    answer_to(__NR_clone3, REFUSE(ENOSYS));
    /* Would flush what the whole machine has written; it succeeds, having done nothing. */
    answer_to(__NR_sync, REFUSE(0));
    answer_to(__NR_syncfs, REFUSE(0));
}

static int by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

/* Ranges of allowed numbers, in order: what is below one, but not in the one before, is refused. */
static void judge_by_number(void)
{
    qsort(allowed, ALLOWED_COUNT, sizeof allowed[0], by_number);
    for (int first = 0, last; first < ALLOWED_COUNT; first = last + 1) {
        for (last = first; last + 1 < ALLOWED_COUNT && allowed[last + 1] <= allowed[last] + 1;)
            last++;
        emit(BPF_JMP | BPF_JGT | BPF_K, (unsigned)allowed[last], 3, 0);
        emit(BPF_JMP | BPF_JGE | BPF_K, (unsigned)allowed[first], 0, 1);
        answer(SECCOMP_RET_ALLOW);
        answer(REFUSE(EPERM));
    }
}

/* Once, by a process whose copies use it. */
void build_filter(void)
{
    if (length > 0)
        return;
    load(offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0);
    answer(REFUSE(ENOSYS));
    load(offsetof(struct seccomp_data, nr));
    emit(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
    answer(REFUSE(ENOSYS));
    judge_by_arguments();
    judge_by_number();
    emit(BPF_JMP | BPF_JGT | BPF_K, LAST_KNOWN, 0, 1);
    answer(REFUSE(ENOSYS));
    answer(REFUSE(EPERM));
}

/* `call` passes unless its argument `mode` has a bit that makes a program run as its owner or its group. */
static void pass_plain_mode(unsigned call, unsigned mode)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load(ARGUMENT(mode));
    emit(BPF_JMP | BPF_JSET | BPF_K, S_ISUID | S_ISGID, 0, 1);
    answer(REFUSE(EPERM));
    answer(SECCOMP_RET_ALLOW);
}

static void judge_modes(void)
{
#ifdef __NR_open
    pass_plain_mode(__NR_open, 2);
    pass_plain_mode(__NR_creat, 1);
    pass_plain_mode(__NR_chmod, 1);
    pass_plain_mode(__NR_mkdir, 1);
    pass_plain_mode(__NR_mknod, 1);
#endif
    pass_plain_mode(__NR_openat, 3);
    pass_plain_mode(__NR_fchmod, 1);
    pass_plain_mode(__NR_fchmodat, 2);
    pass_plain_mode(__NR_fchmodat2, 2);
    pass_plain_mode(__NR_mkdirat, 2);
    pass_plain_mode(__NR_mknodat, 2);
    /* Its mode lies in memory, where no filter can see it; programs fall back to openat. */
    answer_to(__NR_openat2, REFUSE(ENOSYS));
}

/*
 * What a function writes to a directory of the host stays there, as a user that may be somebody on the host: a program
 * that ran as that user whoever starts it would be a way out of the sandbox. Adds to what is refused anyway.
 */
int filter_modes(struct launch *launch)
{
    if (!launch->wanted.has_shared)
        return 0;
    unsigned short whole = length;
    load(offsetof(struct seccomp_data, nr));
    judge_modes();
    answer(SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = (unsigned short)(length - whole), .filter = program + whole};
    bool is_complete = length < MOST_INSTRUCTIONS;
    length = whole;
    if (!is_complete) {
        errno = ENOBUFS;
        return -1;
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

int filter_system_calls(struct launch *launch)
{
    struct sock_fprog filter = {.len = length, .filter = program};
    (void)launch;
    if (length == 0 || length == MOST_INSTRUCTIONS) {
        errno = ENOBUFS;
        return -1;
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}
