/* What /proc says of a process that is held. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file, as text; -1 when it doesn't fit. */
int read_proc(pid_t pid, const char *file, char *text, size_t size)
{
    char path[96];
    size_t length = 0;
    ssize_t count;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    while ((count = read(descriptor, text + length, size - 1 - length)) > 0)
        length += (size_t)count;
    close(descriptor);
    text[length] = '\0';
    return count < 0 || length == size - 1 ? -1 : (int)length;
}

/* The words after "NAME:" in a file like /proc/PID/status. */
int read_field(const char *status, const char *name, char *value, size_t size)
{
    size_t name_length = strlen(name);
    for (const char *line = status; line != NULL && *line != '\0'; line = strchr(line, '\n'), line = line ? line + 1 : line) {
        if (strncmp(line, name, name_length) != 0 || line[name_length] != ':')
            continue;
        line += name_length + 1;
        line += strspn(line, " \t");
        size_t length = strcspn(line, "\n");
        if (length >= size)
            return -1;
        memcpy(value, line, length);
        value[length] = '\0';
        return 0;
    }
    return -1;
}

static int compare_namespace(pid_t pid, pid_t other, const char *kind)
{
    char path[64];
    struct stat one, two;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kind);
    if (stat(path, &one) < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)other, kind);
    if (stat(path, &two) < 0)
        return -1;
    return one.st_ino == two.st_ino ? 0 : 1;
}

int check_same_namespaces(struct supervisor *supervisor, pid_t pid, pid_t other)
{
    static const char *const kinds[] = {"user", "mnt", "pid", "pid_for_children", "ipc", "uts", "net", "cgroup", "time",
                                        "time_for_children"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (compare_namespace(pid, other, kinds[i]) != 0)
            return refuse_because(supervisor, "a process isn't in the %s namespace of its sandbox", kinds[i]);
    return 0;
}

int check_new_namespaces(struct supervisor *supervisor, pid_t pid, pid_t other)
{
    static const char *const kinds[] = {"user", "mnt", "pid", "ipc", "uts", "net", "cgroup"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (compare_namespace(pid, other, kinds[i]) != 1)
            return refuse_because(supervisor, "a copy has no %s namespace of its own", kinds[i]);
    return 0;
}
