/* Who the function is and what it may: ids, capabilities, resource limits. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int write_map(struct launch *launch, pid_t process, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, file);
    set_detail(launch, path);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    ssize_t count = write(descriptor, text, strlen(text));
    int error = errno;
    close(descriptor);
    errno = error;
    return count < 0 ? -1 : 0;
}

static int map(struct launch *launch, const char *file, unsigned inside, unsigned outside, unsigned keeper)
{
    char text[96];
    int length = snprintf(text, sizeof text, "%u %u 1\n", inside, outside);
    if (launch->wanted.has_keeper)
        snprintf(text + length, sizeof text - (size_t)length, "0 %u 1\n", keeper);
    return write_map(launch, launch->init, file, text);
}

int map_ids(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    if (!wanted->has_user_namespace)
        return 0;
    /* The kernel wants this refusal before it lets an ordinary user map a group. */
    if (write_map(launch, launch->init, "setgroups", "deny") < 0)
        return -1;
    if (map(launch, "gid_map", wanted->inside.group_id, wanted->outside.group_id, wanted->keeper.group_id) < 0)
        return -1;
    return map(launch, "uid_map", wanted->inside.user_id, wanted->outside.user_id, wanted->keeper.user_id);
}

/*
 * Process 1 takes an id that exists in its user namespace, or it could create no file there. A change of ids makes a
 * process closed to all others; a zygote's process is to enter this one's namespaces.
 */
int become_keeper(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    struct identity id = wanted->has_keeper ? (struct identity){0, 0} : wanted->inside;
    if (!wanted->has_user_namespace)
        return 0;
    if (setresgid(id.group_id, id.group_id, id.group_id) < 0 || setresuid(id.user_id, id.user_id, id.user_id) < 0)
        return -1;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static rlim_t as_limit(long long number)
{
    return number < 0 ? RLIM_INFINITY : (rlim_t)number;
}

static bool is_core_piped;

/* Once, by a process whose copies set limits. */
void look_at_core_pattern(void)
{
    char first = '\0';
    int descriptor = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    is_core_piped = read(descriptor, &first, 1) == 1 && first == '|';
    close(descriptor);
}

static int set_limit(pid_t process, __rlimit_resource_t resource, struct rlimit wanted)
{
    struct rlimit given;
    if (prlimit(process, resource, &wanted, NULL) == 0)
        return 0;
    /* Who isn't root can't go above the limits it was started with; less than wished for is still right. */
    if (errno != EPERM || prlimit(process, resource, NULL, &given) < 0)
        return -1;
    wanted.rlim_max = wanted.rlim_max < given.rlim_max ? wanted.rlim_max : given.rlim_max;
    wanted.rlim_cur = wanted.rlim_cur < wanted.rlim_max ? wanted.rlim_cur : wanted.rlim_max;
    return prlimit(process, resource, &wanted, NULL);
}

int set_resource_limits(struct launch *launch)
{
    for (int i = 0; i < launch->wanted.limit_count; i++) {
        const struct resource_limit *limit = &launch->wanted.limits[i];
        if (limit->resource == RLIMIT_NPROC)
            continue; /* see limit_processes_of */
        struct rlimit wanted = {as_limit(limit->soft), as_limit(limit->hard)};
        /* A core would be handed to a program of the host, as root; this limit, and not 0, prevents it (core(5)). */
        if (limit->resource == RLIMIT_CORE && is_core_piped)
            wanted = (struct rlimit){1, 1};
        if (set_limit(0, (__rlimit_resource_t)limit->resource, wanted) < 0)
            return -1;
    }
    return 0;
}

static void remember_file(int descriptor, struct file_identity *file)
{
    struct stat status = {0};
    fstat(descriptor, &status);
    *file = (struct file_identity){status.st_dev, status.st_ino};
}

/*
 * How many processes the function may have. The kernel counts them in the sandbox's user namespace, and once more for
 * who made that: an ordinary user's sandboxes all together, held against the limit that the maker had then. So the maker
 * keeps its own. `process` is 0 for this one.
 */
int limit_processes_of(struct launch *launch, pid_t process)
{
    for (int i = 0; i < launch->wanted.limit_count; i++) {
        const struct resource_limit *limit = &launch->wanted.limits[i];
        struct rlimit wanted = {as_limit(limit->soft), as_limit(limit->hard)};
        if (limit->resource == RLIMIT_NPROC && set_limit(process, RLIMIT_NPROC, wanted) < 0)
            return -1;
    }
    return 0;
}

int limit_processes(struct launch *launch)
{
    return limit_processes_of(launch, 0);
}

/* Opening /dev/stdout opens the pipe anew, which only its owner may. */
int give_away_pipes(struct launch *launch)
{
    const struct identity *owner = &launch->wanted.outside;
    if (launch->wanted.is_zygote)
        return 0;
    remember_file(launch->output, &launch->output_file);
    remember_file(launch->telemetry, &launch->telemetry_file);
    if (fchown(launch->output, owner->user_id, owner->group_id) < 0)
        return -1;
    return fchown(launch->telemetry, owner->user_id, owner->group_id);
}

/* `kept`: a bit for each capability. */
static int restrict_capabilities(unsigned long long kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].effective = sets[i].permitted = (unsigned)(kept >> 32 * i);
    return (int)syscall(SYS_capset, &header, sets);
}

static int restrict_bounding_set(unsigned long long kept)
{
    for (unsigned long capability = 0; capability < 64; capability++)
        if (!(kept >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
            return -1;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int keep_entry_capabilities(struct launch *launch)
{
    (void)launch;
    const unsigned long long kept = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT | 1ULL << CAP_SYS_PTRACE |
                                    1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_SETPCAP;
    return restrict_bounding_set(kept) < 0 ? -1 : restrict_capabilities(kept);
}

/*
 * What a process may do becomes what `inside` may: nothing. Process 1 keeps its id if it has one of its own, and then
 * the right to signal the function's process, which is another user's; both count in this user namespace only.
 */
int drop_privileges(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    bool is_keeper = wanted->has_keeper && getpid() == 1;
    struct identity id = is_keeper ? (struct identity){0, 0} : wanted->inside;
    unsigned long long kept = is_keeper ? 1ULL << CAP_KILL : 0;
    /* First what itself needs a capability: the bounding set (SETPCAP), groups (SETGID), ids (SETGID, SETUID). */
    if (restrict_bounding_set(kept) < 0)
        return -1;
    if (!wanted->has_user_namespace && setgroups(0, NULL) < 0)
        return -1;
    if (setresgid(id.group_id, id.group_id, id.group_id) < 0 || setresuid(id.user_id, id.user_id, id.user_id) < 0)
        return -1;
    /* Where the ids didn't change, these are still there. */
    if (restrict_capabilities(kept) < 0)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Other processes of the same user can neither trace this one nor read its memory. */
int close_to_others(struct launch *launch)
{
    (void)launch;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
