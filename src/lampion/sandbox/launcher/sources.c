/* Parts of the host's file system, taken as detached mounts that process 1 attaches in its own. */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const device_files[DEVICE_COUNT] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

int stop_mount_propagation(struct launch *launch)
{
    (void)launch;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* A detached copy of the mounts at `path` with `attributes` set on all of them. */
static int open_source(const char *path, unsigned long long attributes)
{
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0)
        return -1;
    struct mount_attr wanted = {.attr_set = attributes, .propagation = MS_PRIVATE};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) < 0) {
        int error = errno;
        close(tree);
        errno = error;
        return -1;
    }
    return tree;
}

int open_devices(struct launch *launch)
{
    for (int i = 0; i < DEVICE_COUNT; i++) {
        set_detail(launch, device_files[i]);
        launch->devices[i] = open_source(device_files[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        if (launch->devices[i] < 0)
            return -1;
    }
    return 0;
}

/*
 * What belongs to the host's root belongs to the sandbox's root, as a function on AWS sees it, and not to nobody. It
 * changes nothing of what the function may, which is another user. Not every file system can show its files so, and
 * only root may ask for it.
 */
int show_owners(struct launch *launch)
{
    char path[64];
    if (!launch->wanted.has_user_namespace)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)launch->init);
    int ids = open(path, O_RDONLY | O_CLOEXEC);
    /* Process 1 of an ordinary user's may be closed to us just now; that user couldn't map ids anyway. */
    if (ids < 0)
        return 0;
    struct mount_attr wanted = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned long long)ids};
    for (int i = launch->entries_made; i < launch->wanted.entry_count; i++)
        if (launch->wanted.entries[i].kind == ENTRY_BIND && launch->wanted.entries[i].tree >= 0)
            syscall(SYS_mount_setattr, launch->wanted.entries[i].tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted,
                    sizeof wanted);
    close(ids);
    return 0;
}

/* Process 1 was born with them. */
int let_go_of_sources(struct launch *launch)
{
    for (; launch->entries_made < launch->wanted.entry_count; launch->entries_made++)
        if (launch->wanted.entries[launch->entries_made].tree >= 0)
            close(launch->wanted.entries[launch->entries_made].tree);
    return 0;
}

/* Of the entries that no tree has been made of yet. */
int open_sources(struct launch *launch)
{
    for (int i = launch->entries_made; i < launch->wanted.entry_count; i++) {
        struct entry *entry = &launch->wanted.entries[i];
        if (entry->kind != ENTRY_BIND)
            continue;
        set_detail(launch, entry->text);
        entry->tree = open_source(entry->text, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (entry->tree < 0 && !(entry->is_optional && errno == ENOENT))
            return -1;
    }
    return 0;
}
