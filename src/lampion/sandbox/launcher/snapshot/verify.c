/* What must hold of a copy before it executes an instruction of its own; any difference is its end. */
#include "snapshot.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_STATUS_BYTES = 8192 };

static const char none[] = "0000000000000000";

static int check_line(struct supervisor *supervisor, const char *status, const char *name, const char *wanted)
{
    char value[128];
    if (read_field(status, name, value, sizeof value) == 0 && strcmp(value, wanted) == 0)
        return 0;
    return refuse_because(supervisor, "a copy has %s other than %s", name, wanted);
}

static int verify_status(struct supervisor *supervisor, pid_t pid, const struct identity *identity)
{
    static const char *const capabilities[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    char status[MOST_STATUS_BYTES], users[64], groups[64];
    unsigned user = identity->user_id, group = identity->group_id;
    if (read_proc(pid, "status", status, sizeof status) < 0)
        return refuse_because(supervisor, "a copy has gone");
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++)
        if (check_line(supervisor, status, capabilities[i], none) < 0)
            return -1;
    snprintf(users, sizeof users, "%u\t%u\t%u\t%u", user, user, user, user);
    snprintf(groups, sizeof groups, "%u\t%u\t%u\t%u", group, group, group, group);
    const char *const lines[][2] = {{"Uid", users},      {"Gid", groups},        {"Groups", ""},   {"NoNewPrivs", "1"},
                                    {"Seccomp", "2"},    {"Seccomp_filters", "1"}, {"Threads", "1"}, {"SigPnd", none},
                                    {"ShdPnd", none}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (check_line(supervisor, status, lines[i][0], lines[i][1]) < 0)
            return -1;
    return 0;
}

/* The descriptors that it inherited, each in its new meaning, and no other. */
static int verify_descriptors(struct supervisor *supervisor, pid_t pid)
{
    char path[96], ours[128], theirs[128];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return refuse_because(supervisor, "a copy has gone");
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    if (count != supervisor->descriptor_count)
        return refuse_because(supervisor, "a copy has %d descriptors open, not %d", count, supervisor->descriptor_count);
    for (int i = 0; i < supervisor->descriptor_count; i++) {
        const struct held_descriptor *held = &supervisor->descriptors[i];
        ssize_t our_length, their_length;
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)supervisor->held, held->number);
        our_length = readlink(path, ours, sizeof ours);
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, held->number);
        their_length = readlink(path, theirs, sizeof theirs);
        if (our_length < 0 || their_length < 0)
            return refuse_because(supervisor, "a copy has lost a descriptor");
        bool is_same = our_length == their_length && memcmp(ours, theirs, (size_t)our_length) == 0;
        if (is_same != (held->kind == HELD_KEPT))
            return refuse_because(supervisor, "a copy has descriptor %d as its origin had it", held->number);
    }
    return 0;
}

int verify_function(struct supervisor *supervisor, pid_t pid, pid_t process_1, const struct identity *identity)
{
    if (verify_status(supervisor, pid, identity) < 0 || verify_descriptors(supervisor, pid) < 0)
        return -1;
    if (check_same_namespaces(supervisor, pid, process_1) < 0)
        return -1;
    return check_new_namespaces(supervisor, pid, supervisor->held);
}
