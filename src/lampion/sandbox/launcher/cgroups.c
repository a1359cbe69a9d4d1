/* Control groups: which ones and which limits is the server's decision; versions 1 and 2 look alike from here. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REMOVAL_ATTEMPTS = 500, REMOVAL_PAUSE_NANOSECONDS = 2000000, CREATION_ATTEMPTS = 5 };

static int write_file(const char *directory, const char *file, const char *value)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    ssize_t count = write(descriptor, value, strlen(value));
    int error = errno;
    close(descriptor);
    errno = error;
    return count < 0 ? -1 : 0;
}

void thaw(const struct launch *launch)
{
    if (launch->wanted.freeze_file == NULL)
        return;
    int descriptor = open(launch->wanted.freeze_file, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    ssize_t count = write(descriptor, launch->wanted.thawed, strlen(launch->wanted.thawed));
    (void)count; /* it has gone */
    close(descriptor);
}

/* Of the settings that haven't been made yet, those of `cgroup`, or of any when it is NULL. */
static int write_settings_of(struct launch *launch, const struct cgroup *cgroup)
{
    for (int i = launch->settings_made; i < launch->wanted.setting_count; i++) {
        const struct setting *setting = &launch->wanted.settings[i];
        if (cgroup != NULL && setting->cgroup != cgroup)
            continue;
        set_detail(launch, setting->file);
        if (write_file(setting->cgroup->path, setting->file, setting->value) < 0)
            return -1;
    }
    return 0;
}

int write_settings(struct launch *launch)
{
    if (write_settings_of(launch, NULL) < 0)
        return -1;
    launch->settings_made = launch->wanted.setting_count;
    return 0;
}

static int create_cgroup(struct launch *launch, const struct cgroup *cgroup)
{
    set_detail(launch, cgroup->path);
    if (mkdir(cgroup->path, 0755) < 0 && !(cgroup->is_shared && errno == EEXIST))
        return -1;
    if (write_settings_of(launch, cgroup) < 0) {
        int error = errno;
        if (!cgroup->is_shared)
            rmdir(cgroup->path);
        errno = error;
        return -1;
    }
    return 0;
}

int create_cgroups(struct launch *launch)
{
    int attempts = 0;
    for (int i = 0; i < launch->wanted.cgroup_count; i++) {
        if (create_cgroup(launch, &launch->wanted.cgroups[i]) == 0) {
            if (launch->cgroups_made <= i)
                launch->cgroups_made = i + 1;
            continue;
        }
        /* Another launcher, whose server has died, may have removed the empty shared parent in between. */
        if (errno != ENOENT || ++attempts == CREATION_ATTEMPTS)
            return -1;
        while (i > 0 && launch->wanted.cgroups[i - 1].is_shared)
            i--;
        i--;
    }
    launch->settings_made = launch->wanted.setting_count;
    return 0;
}

/* Version 1 has a file of single threads; version 2 can't move one thread alone between domains. */
static bool is_version_1(const struct cgroup *cgroup)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/tasks", cgroup->path);
    return length < (int)sizeof path && access(path, F_OK) == 0;
}

/* A descriptor of the version 2 cgroup that process 1 is to be born in, or -1 when there is none. */
int open_birth_cgroup(struct launch *launch)
{
    for (int i = 0; i < launch->wanted.cgroup_count; i++) {
        const struct cgroup *cgroup = &launch->wanted.cgroups[i];
        if (!cgroup->is_shared && !is_version_1(cgroup))
            return open(cgroup->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    }
    return -1;
}

/*
 * A thread that moves itself is moved at once; moving another one, or a whole process, takes a lock for which the
 * kernel may wait 10 ms (a grace period of RCU).
 */
int enter_cgroups(struct launch *launch)
{
    for (int i = 0; i < launch->wanted.cgroup_count; i++) {
        const struct cgroup *cgroup = &launch->wanted.cgroups[i];
        set_detail(launch, cgroup->path);
        if (!cgroup->is_shared && is_version_1(cgroup) && write_file(cgroup->path, "tasks", "0") < 0)
            return -1;
    }
    return 0;
}

/*
 * Descriptors by which a process from elsewhere moves itself, which only who opened them has to be allowed to; how many.
 * The version 2 cgroup isn't among them: one is born there.
 */
int open_task_files(struct launch *launch, int *descriptors)
{
    char path[PATH_MAX];
    int count = 0;
    for (int i = 0; i < launch->wanted.cgroup_count; i++) {
        const struct cgroup *cgroup = &launch->wanted.cgroups[i];
        if (cgroup->is_shared || !is_version_1(cgroup))
            continue;
        if (snprintf(path, sizeof path, "%s/tasks", cgroup->path) >= (int)sizeof path ||
            (descriptors[count] = open(path, O_WRONLY | O_CLOEXEC)) < 0)
            return -1;
        count++;
    }
    return count;
}

/* The last process has been reaped, yet the kernel may need a moment more to see the cgroup as empty. */
static void remove_cgroup(const char *path)
{
    const struct timespec pause = {.tv_nsec = REMOVAL_PAUSE_NANOSECONDS};
    for (int attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt++) {
        if (rmdir(path) == 0 || errno != EBUSY)
            return;
        nanosleep(&pause, NULL);
    }
}

/* Shared ones stay while anything is in them: rmdir refuses then. */
void remove_cgroups(struct launch *launch, bool with_shared)
{
    for (int i = launch->cgroups_made - 1; i >= 0; i--) {
        const struct cgroup *cgroup = &launch->wanted.cgroups[i];
        if (!cgroup->is_shared)
            remove_cgroup(cgroup->path);
        else if (with_shared)
            rmdir(cgroup->path);
    }
    launch->cgroups_made = 0;
}

/* The number after `name` in a file of counters, or of the whole file when `name` is NULL; 0 when unknown. */
long long read_counter(const char *file, const char *name)
{
    char text[4096];
    if (file == NULL)
        return 0;
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    if (name == NULL)
        return atoll(text);
    for (char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ')
            return atoll(line + strlen(name) + 1);
    return 0;
}
