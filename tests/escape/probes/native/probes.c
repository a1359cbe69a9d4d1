/* A custom runtime's own probes: it is itself the program in /var/task, and needs nobody to speak to the kernel. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WANTED_PROCESSES = 1500, MOST_PROCESSES = 1100, LAST_STANDARD_DESCRIPTOR = 3 };

static long open_for_writing(const void *path)
{
    return open(path, O_WRONLY | O_NONBLOCK);
}

static long open_by_path_descriptor(const void *path)
{
    char again[64];
    int descriptor = open(path, O_PATH);
    if (descriptor < 0)
        return -1;
    snprintf(again, sizeof again, "/proc/self/fd/%d", descriptor);
    return open(again, O_WRONLY);
}

static void probe_descriptors(const char *targets)
{
    char directory[64], path[64];
    for (int number = LAST_STANDARD_DESCRIPTOR + 1; number < 1024; number++)
        if (fcntl(number, F_GETFD) >= 0)
            tell("inherited descriptor", true, "%d", number);
    snprintf(directory, sizeof directory, "/proc/%ld/fd", number_in(targets, "victim_pid"));
    tell("the victim's descriptors", access(directory, R_OK) == 0, "%s", strerror(errno));
    for (int number = 0; number < 8; number++) {
        snprintf(path, sizeof path, "/proc/1/fd/%d", number);
        errno = 0;
        bool is_bare = number_in(targets, "is_bare") == 1;
        tell("a descriptor of process 1", !is_bare && open(path, O_RDONLY | O_NONBLOCK) >= 0, "%s", strerror(errno));
    }
}

static void probe_executables(const char *targets)
{
    char launcher[512];
    static const char *const paths[] = {"/proc/self/exe", "/proc/1/exe", "/var/task/native", "/init"};
    text_in(targets, "launcher", launcher, sizeof launcher);
    attempt("open the launcher for writing", open_for_writing, launcher);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        attempt(paths[i], open_for_writing, paths[i]);
        attempt("the same by a path descriptor", open_by_path_descriptor, paths[i]);
    }
}

static long unshare_one(const void *flag)
{
    return unshare(*(const int *)flag);
}

static long clone3_one(const void *flag)
{
    struct clone_args wanted = {.flags = (unsigned long long)(unsigned)*(const int *)flag, .exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &wanted, sizeof wanted);
    if (child == 0)
        _exit(0);
    return child;
}

static long clone_one(const void *flag)
{
    long child = syscall(SYS_clone, (long)*(const int *)flag | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    return child;
}

static void probe_namespaces(const char *targets)
{
    static const struct {
        const char *name;
        int flag;
    } kinds[] = {{"user", CLONE_NEWUSER},    {"mount", CLONE_NEWNS}, {"process", CLONE_NEWPID},
                 {"network", CLONE_NEWNET},  {"IPC", CLONE_NEWIPC},  {"host name", CLONE_NEWUTS},
                 {"cgroup", CLONE_NEWCGROUP}};
    char name[64];
    (void)targets;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(name, sizeof name, "unshare %s", kinds[i].name);
        attempt(name, unshare_one, &kinds[i].flag);
        snprintf(name, sizeof name, "clone %s", kinds[i].name);
        attempt(name, clone_one, &kinds[i].flag);
        snprintf(name, sizeof name, "clone3 %s", kinds[i].name);
        attempt(name, clone3_one, &kinds[i].flag);
    }
}

static long seize(const void *process)
{
    return ptrace(PTRACE_SEIZE, (pid_t) * (const long *)process, NULL, NULL);
}

static long read_memory(const void *process)
{
    char buffer[16];
    struct iovec here = {buffer, sizeof buffer}, there = {(void *)4096, sizeof buffer};
    long count = process_vm_readv((pid_t) * (const long *)process, &here, 1, &there, 1, 0);
    return count < 0 && errno == EFAULT ? 0 : count; /* let through: only the address was wrong */
}

static long steal_descriptor(const void *process)
{
    long handle = syscall(SYS_pidfd_open, *(const long *)process, 0);
    return handle < 0 ? -1 : syscall(SYS_pidfd_getfd, handle, 0, 0);
}

static void probe_shim(const char *targets)
{
    long processes[] = {number_in(targets, "is_bare") == 1 ? number_in(targets, "victim_pid") : 1,
                        number_in(targets, "victim_pid"), number_in(targets, "sibling_pid")};
    for (size_t i = 0; i < sizeof processes / sizeof processes[0]; i++) {
        attempt("ptrace", seize, &processes[i]);
        attempt("process_vm_readv", read_memory, &processes[i]);
        attempt("pidfd_getfd", steal_descriptor, &processes[i]);
    }
}

static long set_up_ring(const void *unused)
{
    char parameters[120] = {0};
    (void)unused;
    return syscall(SYS_io_uring_setup, 8, parameters);
}

static void probe_ring(const char *targets)
{
    (void)targets;
    attempt("io_uring_setup", set_up_ring, NULL);
}

/* These check rights first: any other error than a refusal says that the caller was let through. */
static long gate(const void *words)
{
    const long *w = words;
    long result = syscall(w[0], w[1], w[2], w[3], w[4]);
    return result < 0 && errno != EPERM && errno != EACCES && errno != ENOSYS ? 0 : result;
}

static void probe_machine(const char *targets)
{
    static const long swap[] = {SYS_swapon, (long)"/tmp/lampion-test-missing", 0, 0, 0};
    static const long kexec[] = {SYS_kexec_load, 0, 0, 0, 0xFFFF};
    static const long reboot[] = {SYS_reboot, 0xFEE1DEAD, 672274793, 0x7FFFFFFF, 0};
    static const long name[] = {SYS_sethostname, (long)"lampion-test", 12, 0, 0};
    static const long module[] = {SYS_delete_module, (long)"lampion_test_missing", 04000, 0, 0};
    (void)targets;
    attempt("swapon", gate, swap);
    attempt("kexec_load", gate, kexec);
    attempt("reboot", gate, reboot);
    attempt("sethostname", gate, name);
    attempt("delete_module", gate, module);
}

static void probe_forks(const char *targets)
{
    static pid_t children[WANTED_PROCESSES];
    int count = 0;
    (void)targets;
    while (count < WANTED_PROCESSES && (children[count] = fork()) > 0)
        count++;
    if (count < WANTED_PROCESSES && children[count] == 0)
        for (;;)
            pause();
    for (int i = 0; i < count; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    tell("processes at a time", count > MOST_PROCESSES, "%d", count);
}

bool run_probe(const char *run, const char *targets)
{
    static const struct {
        const char *run;
        void (*probe)(const char *targets);
    } probes[] = {{"P02", probe_descriptors}, {"P03", probe_executables}, {"P15", probe_namespaces},
                  {"P16", probe_shim},        {"P18", probe_ring},        {"P20", probe_machine},
                  {"P23", probe_abis},        {"P24", probe_sweep},       {"P34:processes", probe_forks}};
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
        if (strcmp(probes[i].run, run) == 0) {
            probes[i].probe(targets);
            return true;
        }
    return false;
}
