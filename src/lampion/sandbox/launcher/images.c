/* A file-system image as a detached mount: what open_tree is to a directory. */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An image goes through the kernel's parser, so only a file that nobody but us can have written is opened. */
static int open_own_file(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0 || fstat(file, &status) < 0)
        return file < 0 ? -1 : (close(file), -1);
    if (S_ISREG(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return file;
    close(file);
    errno = EPERM;
    return -1;
}

static int create_mount(int context, int file)
{
    char source[32];
    /* By descriptor: what was checked is what is mounted. */
    snprintf(source, sizeof source, "/proc/self/fd/%d", file);
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
        syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Needs root and Linux 6.12. The descriptor of the mount, for attach_tree, or -1 with errno set. */
int open_image(const char *path)
{
    int file = open_own_file(path);
    if (file < 0)
        return -1;
    int context = (int)syscall(SYS_fsopen, "erofs", FSOPEN_CLOEXEC);
    int tree = context < 0 ? -1 : create_mount(context, file);
    int error = errno;
    if (context >= 0)
        close(context);
    close(file);
    errno = error;
    return tree;
}
