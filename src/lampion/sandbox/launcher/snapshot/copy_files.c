/* Copies what Init left in /tmp to an environment's own: files, directories and links, which become the function's. */
#include "snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 64, BLOCK_BYTES = 1 << 16 };

static int copy_level(int from, int to, const struct identity *owner, int depth);

static int copy_content(int from, int to)
{
    static char block[BLOCK_BYTES];
    ssize_t count;
    while ((count = read(from, block, sizeof block)) > 0)
        for (ssize_t done = 0, written; done < count; done += written)
            if ((written = write(to, block + done, (size_t)(count - done))) < 0)
                return -1;
    return count < 0 ? -1 : 0;
}

/* Times as well: programs judge by them whether what they cached is still right. */
static int finish(int descriptor, const struct stat *status, const struct identity *owner)
{
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    if (fchown(descriptor, owner->user_id, owner->group_id) < 0 || fchmod(descriptor, status->st_mode & 0777) < 0)
        return -1;
    return futimens(descriptor, times);
}

static int copy_file(int from, int to, const char *name, const struct stat *status, const struct identity *owner)
{
    int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int result = source < 0 || target < 0 ? -1 : copy_content(source, target);
    if (result == 0)
        result = finish(target, status, owner);
    int error = errno;
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    errno = error;
    return result;
}

static int copy_link(int from, int to, const char *name, const struct identity *owner)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0)
        return -1;
    target[length] = '\0';
    if (symlinkat(target, to, name) < 0)
        return -1;
    return fchownat(to, name, owner->user_id, owner->group_id, AT_SYMLINK_NOFOLLOW);
}

static int copy_subdirectory(int from, int to, const char *name, const struct stat *status,
                             const struct identity *owner, int depth)
{
    if (mkdirat(to, name, 0700) < 0)
        return -1;
    int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int target = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = source < 0 || target < 0 ? -1 : copy_level(source, target, owner, depth + 1);
    if (result == 0)
        result = finish(target, status, owner);
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    return result;
}

static int copy_entry(int from, int to, const char *name, const struct identity *owner, int depth)
{
    struct stat status;
    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISREG(status.st_mode))
        return copy_file(from, to, name, &status, owner);
    if (S_ISLNK(status.st_mode))
        return copy_link(from, to, name, owner);
    if (S_ISDIR(status.st_mode))
        return copy_subdirectory(from, to, name, &status, owner, depth);
    return 0; /* a pipe or a socket: who was at the other end isn't here */
}

static int copy_level(int from, int to, const struct identity *owner, int depth)
{
    if (depth > DEEPEST) {
        errno = ELOOP;
        return -1;
    }
    int own = dup(from);
    DIR *directory = own < 0 ? NULL : fdopendir(own);
    if (directory == NULL)
        return -1;
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = copy_entry(from, to, entry->d_name, owner, depth);
    int error = errno;
    closedir(directory);
    errno = error;
    return result;
}

/* `from` doesn't change meanwhile: nobody who could write there runs any more. */
int copy_directory(int from, int to, const struct identity *owner)
{
    return copy_level(from, to, owner, 0);
}
