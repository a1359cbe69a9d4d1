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
#include <sys/syscall.h>
#include <unistd.h>

static int write_map(struct launch *launch, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)launch->init, file);
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

int map_ids(struct launch *launch)
{
    char map[64];
    if (!launch->wanted.has_user_namespace)
        return 0;
    /* The kernel wants this refusal before it lets an ordinary user map a group. */
    if (write_map(launch, "setgroups", "deny") < 0)
        return -1;
    snprintf(map, sizeof map, "%u %u 1", launch->wanted.group_id, (unsigned)getegid());
    if (write_map(launch, "gid_map", map) < 0)
        return -1;
    snprintf(map, sizeof map, "%u %u 1", launch->wanted.user_id, (unsigned)geteuid());
    return write_map(launch, "uid_map", map);
}

static rlim_t as_limit(long long number)
{
    return number < 0 ? RLIM_INFINITY : (rlim_t)number;
}

int set_resource_limits(struct launch *launch)
{
    for (int i = 0; i < launch->wanted.limit_count; i++) {
        const struct resource_limit *limit = &launch->wanted.limits[i];
        struct rlimit wanted = {as_limit(limit->soft), as_limit(limit->hard)};
        struct rlimit given;
        if (setrlimit((__rlimit_resource_t)limit->resource, &wanted) == 0)
            continue;
        /* Who isn't root can't go above the limits it was started with; less than wished for is still right. */
        if (errno != EPERM || getrlimit((__rlimit_resource_t)limit->resource, &given) < 0)
            return -1;
        wanted.rlim_max = wanted.rlim_max < given.rlim_max ? wanted.rlim_max : given.rlim_max;
        wanted.rlim_cur = wanted.rlim_cur < wanted.rlim_max ? wanted.rlim_cur : wanted.rlim_max;
        if (setrlimit((__rlimit_resource_t)limit->resource, &wanted) < 0)
            return -1;
    }
    return 0;
}

/* Opening /dev/stdout opens the pipe anew, which only its owner may. */
int give_away_pipes(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    if (wanted->has_user_namespace)
        return 0;
    if (fchown(launch->output, wanted->user_id, wanted->group_id) < 0)
        return -1;
    return fchown(launch->telemetry, wanted->user_id, wanted->group_id);
}

static int clear_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return (int)syscall(SYS_capset, &header, none);
}

int drop_privileges(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    /* First what itself needs a capability: the bounding set (SETPCAP), groups (SETGID), ids (SETGID, SETUID). */
    for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
        ;
    if (errno != EINVAL)
        return -1;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -1;
    if (!wanted->has_user_namespace && setgroups(0, NULL) < 0)
        return -1;
    if (setresgid(wanted->group_id, wanted->group_id, wanted->group_id) < 0 ||
        setresuid(wanted->user_id, wanted->user_id, wanted->user_id) < 0)
        return -1;
    /* Inside a user namespace the ids don't change, and only a change of ids would have cleared these. */
    if (clear_capabilities() < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    /* Process 1 shares the function's user; this keeps the function out of its memory and descriptors. */
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
