/* The sandbox's file system: a small tmpfs with read-only views of the host, and nothing else of the host. */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int enter_new_root(struct launch *launch)
{
    (void)launch;
    /* Any directory serves as the place: the mount namespace is our own. */
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=8m,nr_inodes=4096") < 0)
        return -1;
    if (chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return -1;
    /* The old root now lies on top of the new one at "."; with it goes every path of the host. */
    if (umount2(".", DETACH_MOUNT) < 0)
        return -1;
    return chdir("/");
}

static int make_directories(const char *path, bool with_last)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return with_last && mkdir(part, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_file(const char *path, const char *content)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0)
        return -1;
    ssize_t count = write(descriptor, content, strlen(content));
    close(descriptor);
    return count < 0 ? -1 : 0;
}

int attach_tree(int tree, const char *path)
{
    struct stat status;
    if (fstat(tree, &status) < 0 || make_directories(path, S_ISDIR(status.st_mode)) < 0)
        return -1;
    /* The mount point may exist already in a read-only view, so creating it isn't tried then. */
    if (!S_ISDIR(status.st_mode) && access(path, F_OK) < 0 && make_file(path, "") < 0)
        return -1;
    int result = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    close(tree);
    return result;
}

/* A file of ours mounted over one in a read-only view. Where there is none, nobody would look for ours either. */
static int cover_file(const char *path, const char *content)
{
    static const char place[] = "/.cover";
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode))
        return 0;
    if (make_file(place, content) < 0)
        return -1;
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, place, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        return -1;
    struct mount_attr wanted = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &wanted, sizeof wanted) < 0)
        return -1;
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -1;
    close(tree);
    /* Only now: what has no name any more can't be attached. */
    return unlink(place);
}

static int build_entry(const struct entry *entry)
{
    switch (entry->kind) {
    case ENTRY_BIND:
        return entry->tree < 0 ? 0 : attach_tree(entry->tree, entry->path);
    case ENTRY_SHARED:
        return attach_tree(entry->tree, entry->path);
    case ENTRY_DIRECTORY:
        return make_directories(entry->path, true);
    case ENTRY_FILE:
        return make_directories(entry->path, false) < 0 ? -1 : make_file(entry->path, entry->text);
    case ENTRY_COVER:
        return cover_file(entry->path, entry->text);
    case ENTRY_SYMLINK:
        return make_directories(entry->path, false) < 0 ? -1 : symlink(entry->text, entry->path);
    }
    return 0;
}

int build_tree(struct launch *launch)
{
    for (; launch->entries_made < launch->wanted.entry_count; launch->entries_made++) {
        const struct entry *entry = &launch->wanted.entries[launch->entries_made];
        set_detail(launch, entry->path);
        if (build_entry(entry) < 0)
            return -1;
    }
    return 0;
}

int mount_devices(struct launch *launch)
{
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};
    for (int i = 0; i < DEVICE_COUNT; i++) {
        set_detail(launch, device_files[i]);
        if (attach_tree(launch->devices[i], device_files[i]) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (symlink(links[i][0], links[i][1]) < 0)
            return -1;
    return 0;
}

static int mount_sized(struct launch *launch, const char *path, unsigned long long bytes, unsigned long flags)
{
    char options[96];
    set_detail(launch, path);
    snprintf(options, sizeof options, "mode=1777,size=%llu", bytes);
    if (make_directories(path, true) < 0)
        return -1;
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | flags, options);
}

/* How large /dev/shm may grow follows from the function's memory, which isn't known yet. */
int mount_temporary(struct launch *launch)
{
    set_detail(launch, "/tmp");
    int result = launch->disk >= 0 ? attach_tree(launch->disk, "/tmp")
                                   : mount_sized(launch, "/tmp", launch->wanted.tmp_bytes, 0);
    if (result < 0)
        return -1;
    return mount_sized(launch, "/dev/shm", (unsigned long long)sysconf(_SC_PAGESIZE), 0);
}

int size_shared_memory(struct launch *launch)
{
    return mount_sized(launch, "/dev/shm", launch->wanted.shared_memory_bytes, MS_REMOUNT);
}

int seal_root(struct launch *launch)
{
    (void)launch;
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
}

/* Sends process 1 the description and the trees for it; a letter an entry says whether there is one. */
int hand_trees(struct launch *launch)
{
    char text[MOST_MESSAGE_BYTES] = "specialise ";
    size_t length = strlen(text);
    int descriptors[MOST_DESCRIPTORS] = {launch->description}, count = 1;
    if (launch->companion_output >= 0)
        descriptors[count++] = launch->companion_output;
    for (int i = launch->entries_made; i < launch->wanted.entry_count; i++) {
        const struct entry *entry = &launch->wanted.entries[i];
        text[length++] = entry->tree >= 0 ? 'y' : 'n';
        if (text[length - 1] == 'y')
            descriptors[count++] = entry->tree;
    }
    text[length] = '\0';
    int result = send_message(launch->outside, text, descriptors, count);
    while (count > 0)
        close(descriptors[--count]);
    launch->entries_made = launch->wanted.entry_count;
    return result;
}

int take_trees(struct launch *launch)
{
    const char *letter = strchr(launch->handed.text, ' ');
    int next = 1; /* after the description */
    close(launch->description);
    launch->companion_output = launch->wanted.companion_count > 0 ? launch->handed.descriptors[next++] : -1;
    for (int i = launch->entries_made; letter != NULL && i < launch->wanted.entry_count; i++)
        launch->wanted.entries[i].tree = *++letter == 'y' ? launch->handed.descriptors[next++] : -1;
    return 0;
}
