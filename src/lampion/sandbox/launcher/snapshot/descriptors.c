/*
 * What is open in the process that is held. Its copies have the same open files, not files of their own: so nothing may
 * be open through which one copy could tell another one anything.
 */
#include "snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MEMORY_DEVICES = 1, PATH_BYTES = 64 };

static bool is_same_file(const struct stat *status, const struct file_identity *file)
{
    return status->st_ino == file->number && status->st_dev == file->device;
}

/* Files in views of the host that nobody in the sandbox can write to, and never /proc, which shows its processes. */
static bool is_on_fixed_mount(const char *path)
{
    struct statvfs mount;
    struct statfs system;
    if (statvfs(path, &mount) < 0 || statfs(path, &system) < 0)
        return false;
    return (mount.f_flag & ST_RDONLY) && system.f_type != PROC_SUPER_MAGIC;
}

static int read_flags(pid_t pid, const char *number, unsigned long *flags)
{
    char path[PATH_BYTES], text[4096], value[32];
    snprintf(path, sizeof path, "fdinfo/%.16s", number);
    if (read_proc(pid, path, text, sizeof text) < 0 || read_field(text, "flags", value, sizeof value) < 0)
        return -1;
    *flags = strtoul(value, NULL, 8);
    return 0;
}

static int judge(struct supervisor *supervisor, const char *number, struct held_descriptor *held)
{
    struct launch *launch = supervisor->launch;
    char path[PATH_BYTES], name[256] = "";
    struct stat status;
    unsigned long flags;
    snprintf(path, sizeof path, "/proc/%d/fd/%.16s", (int)supervisor->held, number);
    if (stat(path, &status) < 0 || readlink(path, name, sizeof name - 1) < 0 ||
        read_flags(supervisor->held, number, &flags) < 0)
        return refuse_because(supervisor, "descriptor %s can't be examined", number);
    *held = (struct held_descriptor){atoi(number), HELD_KEPT, flags & O_CLOEXEC};
    if (S_ISSOCK(status.st_mode))
        held->kind = HELD_SOCKET;
    else if (is_same_file(&status, &launch->output_file))
        held->kind = HELD_OUTPUT;
    else if (is_same_file(&status, &launch->telemetry_file))
        held->kind = HELD_TELEMETRY;
    else if (S_ISCHR(status.st_mode) && major(status.st_rdev) == MEMORY_DEVICES)
        return 0;
    else if ((S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) && is_on_fixed_mount(path) &&
             (flags & O_ACCMODE) == O_RDONLY)
        return 0;
    else
        return refuse_because(supervisor, "Init left descriptor %s open: %.128s", number, name);
    return 0;
}

int list_descriptors(struct supervisor *supervisor)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)supervisor->held);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return refuse_because(supervisor, "descriptors can't be listed");
    int result = 0;
    supervisor->descriptor_count = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (supervisor->descriptor_count == MOST_HELD_DESCRIPTORS)
            result = refuse_because(supervisor, "Init left more than %d descriptors open", MOST_HELD_DESCRIPTORS);
        else
            result = judge(supervisor, entry->d_name, &supervisor->descriptors[supervisor->descriptor_count++]);
    }
    closedir(directory);
    if (result < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)supervisor->held);
    return is_on_fixed_mount(path) ? 0 : refuse_because(supervisor, "Init left the process in a directory of its own");
}
