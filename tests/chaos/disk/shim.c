/* Between a process and its databases (LD_PRELOAD): each write, cut, sync and removal of a database's files is a step.
 *
 * Steps are counted, and the process can be killed at any of them; they can be recorded, so that a power cut can be
 * played afterwards; and they can fail or wait, as a file says. Files count whose path begins with LAMPION_TEST_DISK
 * and is a database, its log or its journal; what SQLite shares as memory (-shm) is made anew after a crash.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum step { WRITE = 'w', CUT = 'c', SYNC = 's', REMOVE = 'r', MARK = 'm' };

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static long steps;
static long kill_at;
static int is_torn;
static int record_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* -- for the process itself, through ctypes -- */

/* Count from 0, and die at step `at` (0: never) before it is done, or when half of a write is. */
void disk_kill_at(long at, int torn)
{
    steps = 0;
    kill_at = at;
    is_torn = torn;
}

long disk_steps(void) { return steps; }

/* Record all that follows in `fd`; -1 ends it. */
void disk_record(int fd) { record_fd = fd; }

/* -- what is a step -- */

static int is_counted(const char *path)
{
    const char *root = getenv("LAMPION_TEST_DISK");
    if (root == NULL || strncmp(path, root, strlen(root)) != 0)
        return 0;
    const char *base = strrchr(path, '/');
    const char *end = base == NULL ? NULL : strstr(base, ".db");
    return end != NULL && (strcmp(end, ".db") == 0 || strcmp(end, ".db-wal") == 0 || strcmp(end, ".db-journal") == 0);
}

static int path_of_descriptor(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return 1;
}

static int path_of(int fd, char path[PATH_MAX]) { return path_of_descriptor(fd, path) && is_counted(path); }

/* Names are synced with their directory. */
static int is_directory(int fd, char path[PATH_MAX])
{
    struct stat found;
    const char *root = getenv("LAMPION_TEST_DISK");
    return root != NULL && fstat(fd, &found) == 0 && S_ISDIR(found.st_mode) && path_of_descriptor(fd, path) &&
           strncmp(path, root, strlen(root)) == 0;
}

static void put(const void *data, size_t size)
{
    ssize_t (*real_write)(int, const void *, size_t) = REAL(write);
    for (const char *at = data; size > 0;) {
        ssize_t done = real_write(record_fd, at, size);
        if (done <= 0)
            abort();
        at += done;
        size -= (size_t)done;
    }
}

static void record(enum step step, const char *path, uint64_t offset, const void *data, uint64_t size)
{
    struct { uint64_t step, path_size, offset, size; } head = {step, strlen(path), offset, size};
    put(&head, sizeof head);
    put(path, head.path_size);
    if (data != NULL)
        put(data, size);
}

/* What the file LAMPION_TEST_DISK_FAULT says of this step: "error PREFIX STEPS NUMBER" or "slow PREFIX STEPS
 * MILLISECONDS", for databases whose name begins so and those steps, e.g. "error queues ws 28". 0, or errno. */
static int fault(enum step step, const char *path)
{
    const char *file = getenv("LAMPION_TEST_DISK_FAULT");
    int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    char text[128] = {0}, kind[16], prefix[32], which[16];
    int number;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0 || sscanf(text, "%15s %31s %15s %d", kind, prefix, which, &number) != 4)
        return 0;
    if (strncmp(strrchr(path, '/') + 1, prefix, strlen(prefix)) != 0 || strchr(which, step) == NULL)
        return 0;
    if (strcmp(kind, "error") == 0)
        return number;
    struct timespec pause = {number / 1000, number % 1000 * 1000000L};
    nanosleep(&pause, NULL);
    return 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Whether the process is to die at this step; the lock is held from here to `after`. */
static int before(void)
{
    pthread_mutex_lock(&one_at_a_time);
    return ++steps == kill_at;
}

static void after(enum step step, const char *path, uint64_t offset, const void *data, uint64_t size)
{
    if (record_fd >= 0)
        record(step, path, offset, data, size);
    pthread_mutex_unlock(&one_at_a_time);
}

/* Something that happened outside the databases at this moment, in the record. */
void disk_mark(const char *text)
{
    pthread_mutex_lock(&one_at_a_time);
    after(MARK, "", 0, text, strlen(text));
}

/* -- the calls -- */

static ssize_t step_write(int fd, const void *data, size_t size, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = REAL(pwrite64);
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return real(fd, data, size, offset);
    int error = fault(WRITE, path);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (before()) {
        if (is_torn)
            real(fd, data, size / 2, offset);
        die();
    }
    ssize_t done = real(fd, data, size, offset);
    after(WRITE, path, (uint64_t)offset, data, done < 0 ? 0 : (uint64_t)done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return step_write(fd, data, size, offset); }

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return step_write(fd, data, size, offset); }

ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*real)(int, const void *, size_t) = REAL(write);
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return real(fd, data, size);
    ssize_t done = step_write(fd, data, size, lseek64(fd, 0, SEEK_CUR));
    if (done > 0)
        lseek64(fd, done, SEEK_CUR);
    return done;
}

static int step_sync(int fd, int (*real)(int))
{
    char path[PATH_MAX];
    if (!is_directory(fd, path) && !path_of(fd, path))
        return real(fd);
    int error = fault(SYNC, path);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (before())
        die();
    int done = real(fd);
    after(SYNC, path, 0, NULL, 0);
    return done;
}

int fsync(int fd) { return step_sync(fd, REAL(fsync)); }

int fdatasync(int fd) { return step_sync(fd, REAL(fdatasync)); }

static int step_cut(int fd, off64_t size)
{
    int (*real)(int, off64_t) = REAL(ftruncate64);
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return real(fd, size);
    int error = fault(CUT, path);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (before())
        die();
    int done = real(fd, size);
    after(CUT, path, (uint64_t)size, NULL, 0);
    return done;
}

int ftruncate(int fd, off_t size) { return step_cut(fd, size); }

int ftruncate64(int fd, off64_t size) { return step_cut(fd, size); }

int unlink(const char *path)
{
    int (*real)(const char *) = REAL(unlink);
    if (!is_counted(path))
        return real(path);
    if (before())
        die();
    int done = real(path);
    after(REMOVE, path, 0, NULL, 0);
    return done;
}
