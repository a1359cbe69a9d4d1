/* The kernel's other doors (i386, x32), and which system call numbers answer at all. */
#include "native.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NUMBER = 1023, NOT_IMPLEMENTED = 38, PATIENCE_MILLISECONDS = 500 };

#ifdef __x86_64__
long call_i386(int number, int one, int two, int three)
{
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(one), "c"(two), "d"(three)
                     : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) {
        errno = -result;
        return -1;
    }
    return result;
}
static const int harmful_bare[] = {SYS_vhangup, SYS_sync};
#else
long call_i386(int number, int one, int two, int three)
{
    (void)number, (void)one, (void)two, (void)three;
    errno = NOT_IMPLEMENTED;
    return -1;
}
static const int harmful_bare[] = {SYS_vhangup, SYS_sync};
#endif

static long i386_process_id(const void *unused)
{
    (void)unused;
    return call_i386(20, 0, 0, 0);
}

static long i386_user_namespace(const void *unused)
{
    (void)unused;
    return call_i386(310, CLONE_NEWUSER, 0, 0);
}

static long x32_process_id(const void *unused)
{
    (void)unused;
    return syscall(0x40000000L | SYS_getpid);
}

static long x32_user_namespace(const void *unused)
{
    (void)unused;
    return syscall(0x40000000L | SYS_unshare, CLONE_NEWUSER);
}

void probe_abis(const char *targets)
{
    (void)targets;
    attempt("i386 getpid", i386_process_id, NULL);
    attempt("i386 unshare of a user namespace", i386_user_namespace, NULL);
    attempt("x32 getpid", x32_process_id, NULL);
    attempt("x32 unshare of a user namespace", x32_user_namespace, NULL);
}

static void call_wrongly(int number)
{
    setpgid(0, 0);
    alarm(2);
    errno = 0;
    long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    _exit(result == -1 && (errno == EPERM || errno == NOT_IMPLEMENTED) ? 1 : 2);
}

static bool is_let_through(int number)
{
    const struct timespec pause = {0, 1000000};
    int status;
    pid_t child = fork();
    if (child == 0)
        call_wrongly(number);
    for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited++) {
        if (waited > PATIENCE_MILLISECONDS) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return true;
        }
        nanosleep(&pause, NULL);
    }
    if (WIFSIGNALED(status))
        return WTERMSIG(status) != SIGSYS;
    return WEXITSTATUS(status) != 1 || number == SYS_exit || number == SYS_exit_group;
}

int sweep(bool is_bare, int *let_through, int most)
{
    int count = 0;
    for (int number = 0; number <= MOST_NUMBER; number++) {
        bool is_skipped = is_bare && (number == harmful_bare[0] || number == harmful_bare[1]);
        if (!is_skipped && is_let_through(number) && count < most)
            let_through[count++] = number;
    }
    return count;
}

void probe_sweep(const char *targets)
{
    static int numbers[MOST_NUMBER + 1];
    char name[32];
    int beyond = 0, count = sweep(number_in(targets, "is_bare") == 1, numbers, MOST_NUMBER + 1);
    if (is_null(targets, "allowed_system_calls")) {
        tell("sweep of 0..1023", true, "%d answer; no list is documented", count);
        return;
    }
    for (int i = 0; i < count; i++) {
        if (list_holds(targets, "allowed_system_calls", numbers[i]))
            continue;
        beyond++;
        snprintf(name, sizeof name, "system call %d", numbers[i]);
        tell(name, true, "answers, and isn't in the documented list");
    }
    tell("calls beyond the list", beyond > 0, "%d of %d", beyond, count);
}
