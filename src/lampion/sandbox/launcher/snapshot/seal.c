/*
 * What must hold of the process that is held before anything is made of it, examined from outside. Some of it would
 * reach from one copy to another, some would be lost in a copy, some would weaken process 1 of an environment, which
 * inherits it. Whatever isn't plain is refused: the function then has a full Init each time, as without a snapshot.
 */
#include "snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST_STATUS_BYTES = 8192 };

static const char no_signals[] = "0000000000000000";

static int count_entries(const char *path, bool numbers_only)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.' && (!numbers_only || (entry->d_name[0] >= '0' && entry->d_name[0] <= '9'));
    closedir(directory);
    return count;
}

static int check_alone(struct supervisor *supervisor)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)supervisor->held);
    if (count_entries(path, false) != 1)
        return refuse_because(supervisor, "Init left threads running, which a snapshot can't hold");
    /* As process 1 sees it, so that nothing hides in a cgroup or a session of its own. */
    snprintf(path, sizeof path, "/proc/%d/root/proc", (int)supervisor->launch->init);
    if (count_entries(path, true) != 2)
        return refuse_because(supervisor, "Init left other processes behind");
    return 0;
}

static int check_field(struct supervisor *supervisor, const char *status, const char *name, const char *wanted,
                       const char *reason)
{
    char value[128];
    if (read_field(status, name, value, sizeof value) == 0 && strcmp(value, wanted) == 0)
        return 0;
    return refuse_because(supervisor, "%s", reason);
}

static int check_status(struct supervisor *supervisor)
{
    char status[MOST_STATUS_BYTES], id[64];
    const struct identity *user = &supervisor->launch->wanted.outside;
    if (read_proc(supervisor->held, "status", status, sizeof status) < 0)
        return refuse_because(supervisor, "the function's process has ended");
    static const char *const capabilities[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
        if (check_field(supervisor, status, capabilities[i], no_signals, "Init has capabilities") < 0)
            return -1;
    snprintf(id, sizeof id, "%u\t%u\t%u\t%u", user->user_id, user->user_id, user->user_id, user->user_id);
    if (check_field(supervisor, status, "Uid", id, "Init has another user") < 0)
        return -1;
    snprintf(id, sizeof id, "%u\t%u\t%u\t%u", user->group_id, user->group_id, user->group_id, user->group_id);
    if (check_field(supervisor, status, "Gid", id, "Init has another group") < 0 ||
        check_field(supervisor, status, "Groups", "", "Init has other groups") < 0 ||
        check_field(supervisor, status, "NoNewPrivs", "1", "Init may gain privileges") < 0 ||
        check_field(supervisor, status, "Seccomp", "2", "Init isn't filtered") < 0 ||
        check_field(supervisor, status, "Seccomp_filters", "1", "Init installed a filter of system calls") < 0 ||
        check_field(supervisor, status, "SigPnd", no_signals, "Init left a signal pending") < 0 ||
        check_field(supervisor, status, "ShdPnd", no_signals, "Init left a signal pending") < 0)
        return -1;
    return 0;
}

/* Memory that stays shared in a copy, unless it can never be written to. */
static int check_memory(struct supervisor *supervisor)
{
    char path[64], line[512], name[128] = "";
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)supervisor->held);
    FILE *maps = fopen(path, "re");
    bool is_shared = false, has_flags = false;
    if (maps == NULL)
        return refuse_because(supervisor, "memory can't be examined");
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 && strlen(rights) == 4)
            is_shared = rights[3] == 's';
        if (strncmp(line, "VmFlags:", 8) != 0)
            continue;
        has_flags = true;
        if (is_shared && strstr(line, " mw") != NULL)
            snprintf(name, sizeof name, "shared");
    }
    fclose(maps);
    if (!has_flags)
        return refuse_because(supervisor, "this machine doesn't tell how memory is shared");
    return name[0] == '\0' ? 0 : refuse_because(supervisor, "Init left shared memory behind");
}

/* Each environment gets its own, and the sandbox's is another one than ours (privileges.c). */
static void leave_out_processes(char *limits)
{
    char *line = strstr(limits, "Max processes");
    char *next = line == NULL ? NULL : strchr(line, '\n');
    if (next != NULL)
        memmove(line, next + 1, strlen(next + 1) + 1);
}

/* Process 1 of each environment inherits them, too. They were set for the sandbox as they are for us. */
static int check_limits(struct supervisor *supervisor)
{
    char now[MOST_STATUS_BYTES], usual[MOST_STATUS_BYTES];
    if (read_proc(supervisor->held, "limits", now, sizeof now) < 0 ||
        read_proc(getpid(), "limits", usual, sizeof usual) < 0)
        return refuse_because(supervisor, "resource limits can't be read");
    leave_out_processes(now);
    leave_out_processes(usual);
    return strcmp(now, usual) == 0 ? 0 : refuse_because(supervisor, "Init changed its resource limits");
}

static int check_personality(struct supervisor *supervisor)
{
    char text[32];
    if (read_proc(supervisor->held, "personality", text, sizeof text) < 0 || strtoul(text, NULL, 16) != 0)
        return refuse_because(supervisor, "Init changed its personality");
    return 0;
}

static int check_same_root(struct supervisor *supervisor)
{
    char path[64];
    struct stat one, other;
    snprintf(path, sizeof path, "/proc/%d/root/", (int)supervisor->held);
    if (stat(path, &one) < 0)
        return refuse_because(supervisor, "Init's root can't be examined");
    snprintf(path, sizeof path, "/proc/%d/root/", (int)supervisor->launch->init);
    if (stat(path, &other) < 0 || one.st_dev != other.st_dev || one.st_ino != other.st_ino)
        return refuse_because(supervisor, "Init has another root");
    return 0;
}

static int make_scratch(struct supervisor *supervisor)
{
    const struct call call = {
        __NR_mmap, {0, SCRATCH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (unsigned long)-1, 0}};
    long address;
    if (must_call(supervisor, supervisor->held, "memory", &call, &address) < 0)
        return -1;
    supervisor->scratch = (unsigned long)address;
    return 0;
}

/* A copy would lose them. */
static int check_timers(struct supervisor *supervisor)
{
    static const unsigned long kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    char text[MOST_STATUS_BYTES];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct call call = {__NR_getitimer, {kinds[i], supervisor->scratch}};
        struct itimerval timer;
        if (must_call(supervisor, supervisor->held, "timers", &call, NULL) < 0 ||
            get(supervisor, supervisor->held, 0, &timer, sizeof timer) < 0)
            return -1;
        if (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0)
            return refuse_because(supervisor, "Init left a timer running");
    }
    int length = read_proc(supervisor->held, "timers", text, sizeof text);
    if (length < 0 && errno == ENOENT)
        return refuse_because(supervisor, "this machine doesn't tell which timers run");
    return length == 0 ? 0 : refuse_because(supervisor, "Init left a timer behind");
}

int check_seal(struct supervisor *supervisor)
{
    int (*const checks[])(struct supervisor *) = {check_alone,       check_status,    list_descriptors,
                                                  check_memory,      check_limits,    check_personality,
                                                  check_same_root,   make_scratch,    check_timers};
    if (check_same_namespaces(supervisor, supervisor->held, supervisor->launch->init) < 0)
        return -1;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i](supervisor) < 0)
            return -1;
    return 0;
}
