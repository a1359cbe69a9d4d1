/* Directories of the host that a function writes to beside others: its file system. Taken as detached mounts, too. */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_RANGES_BYTES = 256 };
#define ALL_IDS 4294967295ULL

/* Nothing that functions put into the directory, a link least of all, leads out of it. */
static int open_beneath(const char *directory, const char *beneath)
{
    int host = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (host < 0 || beneath[0] == '\0')
        return host;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int found = (int)syscall(SYS_openat2, host, beneath, &how, sizeof how);
    int error = errno;
    close(host);
    errno = error;
    return found;
}

static int append_range(char *text, int length, unsigned long long first, unsigned long long target,
                        unsigned long long count)
{
    if (count == 0)
        return length;
    return length + snprintf(text + length, (size_t)(MOST_RANGES_BYTES - length), "%llu %llu %llu\n", first, target, count);
}

/* Every id is itself but these two, which are each other. All have to be there: what has no owner can't be written to. */
static void describe_swap(char *text, unsigned one, unsigned other)
{
    unsigned long long low = one < other ? one : other, high = one < other ? other : one;
    int length = append_range(text, 0, 0, 0, low);
    if (low == high) {
        append_range(text, length, low, low, ALL_IDS - low);
        return;
    }
    length = append_range(text, length, low, high, 1);
    length = append_range(text, length, low + 1, low + 1, high - low - 1);
    length = append_range(text, length, high, low, 1);
    append_range(text, length, high + 1, high + 1, ALL_IDS - high - 1);
}

/* A process that does nothing in a user namespace of its own, which is there for its maps. */
static pid_t start_idler(void)
{
    struct clone_args request = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    pid_t process = (pid_t)syscall(SYS_clone3, &request, sizeof request);
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return process;
}

/* A user namespace that makes of the function's ids those of `owner`, and the other way round. */
static int open_swap(struct launch *launch, const struct identity *owner)
{
    const struct identity *function = &launch->wanted.outside;
    char users[MOST_RANGES_BYTES], groups[MOST_RANGES_BYTES], path[64];
    int ids = -1;
    pid_t idler = start_idler();
    if (idler < 0)
        return -1;
    describe_swap(users, owner->user_id, function->user_id);
    describe_swap(groups, owner->group_id, function->group_id);
    if (write_map(launch, idler, "gid_map", groups) == 0 && write_map(launch, idler, "uid_map", users) == 0) {
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)idler);
        ids = open(path, O_RDONLY | O_CLOEXEC);
    }
    int error = errno;
    kill(idler, SIGKILL);
    waitpid(idler, NULL, 0);
    errno = error;
    return ids;
}

static bool is_same(const struct identity *one, const struct identity *other)
{
    return one->user_id == other->user_id && one->group_id == other->group_id;
}

/* The function acts there as `owner`, which only root can arrange for: with the ids of the mount, not of the process. */
static int set_attributes(struct launch *launch, int tree, const struct entry *entry)
{
    struct mount_attr wanted = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE};
    int ids = -1;
    if (!is_same(&entry->owner, &launch->wanted.outside)) {
        ids = open_swap(launch, &entry->owner);
        if (ids < 0)
            return -1;
        wanted.attr_set |= MOUNT_ATTR_IDMAP;
        wanted.userns_fd = (unsigned long long)ids;
    }
    set_detail(launch, entry->text);
    int result = (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &wanted, sizeof wanted);
    int error = errno;
    if (ids >= 0)
        close(ids);
    errno = error;
    return result;
}

/* Without what is mounted beneath: a file system is one. */
static int open_tree_of(struct launch *launch, const struct entry *entry)
{
    int directory = open_beneath(entry->text, entry->beneath);
    if (directory < 0)
        return -1;
    int tree = (int)syscall(SYS_open_tree, directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    int error = errno;
    close(directory);
    if (tree >= 0 && set_attributes(launch, tree, entry) < 0) {
        error = errno;
        close(tree);
        tree = -1;
    }
    errno = error;
    return tree;
}

int open_shared(struct launch *launch)
{
    for (int i = launch->entries_made; i < launch->wanted.entry_count; i++) {
        struct entry *entry = &launch->wanted.entries[i];
        if (entry->kind != ENTRY_SHARED)
            continue;
        set_detail(launch, entry->text);
        entry->tree = open_tree_of(launch, entry);
        if (entry->tree < 0)
            return -1;
    }
    return 0;
}
