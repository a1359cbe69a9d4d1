/* Reads what the server asks for: NUL-terminated words, each record a verb and its fixed number of words. */
#include "launcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_WORDS = 5 };
typedef int (*reader)(struct description *wanted, char **words);

static int refuse(int error)
{
    errno = error;
    return -1;
}

/* Absolute and without ".." or empty parts, so that it can't lead out of where it is used. */
static bool is_plain_path(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *part = path; part != NULL && part[1] != '\0'; part = strchr(part + 1, '/'))
        if (part[1] == '/' || (part[1] == '.' && part[2] == '.' && (part[3] == '/' || part[3] == '\0')))
            return false;
    return true;
}

static int read_number(const char *word, long long least, long long most, long long *number)
{
    char *end;
    errno = 0;
    *number = strtoll(word, &end, 10);
    if (errno != 0 || end == word || *end != '\0' || *number < least || *number > most)
        return refuse(EINVAL);
    return 0;
}

static int read_identity(struct identity *identity, char **words)
{
    long long user_id, group_id;
    if (read_number(words[0], 0, 4294967294LL, &user_id) < 0 || read_number(words[1], 0, 4294967294LL, &group_id) < 0)
        return -1;
    *identity = (struct identity){(unsigned)user_id, (unsigned)group_id};
    return 0;
}

/* The function is never root, not even as it sees itself. */
static int read_user(struct description *wanted, char **words)
{
    if (read_identity(&wanted->inside, words) < 0 || read_identity(&wanted->outside, words + 2) < 0)
        return -1;
    return wanted->inside.user_id == 0 || wanted->inside.group_id == 0 ? refuse(EINVAL) : 0;
}

static int read_keeper(struct description *wanted, char **words)
{
    wanted->has_keeper = true;
    return read_identity(&wanted->keeper, words);
}

static int read_zygote(struct description *wanted, char **words)
{
    (void)words;
    wanted->is_zygote = true;
    return 0;
}

static int read_forked(struct description *wanted, char **words)
{
    (void)words;
    wanted->is_forked = true;
    return 0;
}

static int read_origin(struct description *wanted, char **words)
{
    (void)words;
    wanted->is_origin = true;
    return 0;
}

static int read_copy(struct description *wanted, char **words)
{
    (void)words;
    wanted->is_copy = true;
    return 0;
}

static int read_user_namespace(struct description *wanted, char **words)
{
    (void)words;
    wanted->has_user_namespace = true;
    return 0;
}

static int read_working_directory(struct description *wanted, char **words)
{
    if (!is_plain_path(words[0]))
        return refuse(EINVAL);
    wanted->working_directory = words[0];
    return 0;
}

static int read_bytes(unsigned long long *bytes, const char *word)
{
    long long number;
    if (read_number(word, 1, 1LL << 50, &number) < 0)
        return -1;
    *bytes = (unsigned long long)number;
    return 0;
}

static int read_tmp(struct description *wanted, char **words)
{
    return read_bytes(&wanted->tmp_bytes, words[0]);
}

static int read_shared_memory(struct description *wanted, char **words)
{
    return read_bytes(&wanted->shared_memory_bytes, words[0]);
}

static int read_disk(struct description *wanted, char **words)
{
    long long bytes;
    if (read_number(words[0], 1, 1LL << 50, &bytes) < 0)
        return -1;
    wanted->disk = (struct disk){(unsigned long long)bytes, words[1], words[2]};
    return 0;
}

static int add_cgroup(struct description *wanted, const char *path, bool is_shared)
{
    if (wanted->cgroup_count == MOST_CGROUPS)
        return refuse(E2BIG);
    if (!is_plain_path(path))
        return refuse(EINVAL);
    wanted->cgroups[wanted->cgroup_count++] = (struct cgroup){path, is_shared};
    return 0;
}

static int read_shared_cgroup(struct description *wanted, char **words)
{
    return add_cgroup(wanted, words[0], true);
}

static int read_cgroup(struct description *wanted, char **words)
{
    return add_cgroup(wanted, words[0], false);
}

static int read_setting(struct description *wanted, char **words)
{
    if (wanted->setting_count == MOST_SETTINGS)
        return refuse(E2BIG);
    if (strchr(words[1], '/') != NULL)
        return refuse(EINVAL);
    for (int i = 0; i < wanted->cgroup_count; i++) {
        if (strcmp(wanted->cgroups[i].path, words[0]) != 0)
            continue;
        wanted->settings[wanted->setting_count++] = (struct setting){&wanted->cgroups[i], words[1], words[2]};
        return 0;
    }
    return refuse(ENOENT);
}

static int read_counters(struct description *wanted, char **words)
{
    wanted->oom_file = words[0];
    wanted->peak_file = words[1];
    return 0;
}

static int read_thaw(struct description *wanted, char **words)
{
    wanted->freeze_file = words[0];
    wanted->thawed = words[1];
    return 0;
}

static int add_entry(struct description *wanted, struct entry entry)
{
    if (wanted->entry_count == MOST_ENTRIES)
        return refuse(E2BIG);
    if (!is_plain_path(entry.path))
        return refuse(EINVAL);
    wanted->entries[wanted->entry_count++] = entry;
    return 0;
}

static int read_bind(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_BIND, words[0], words[1], .tree = -1});
}

static int read_optional_bind(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_BIND, words[0], words[1], .is_optional = true, .tree = -1});
}

static int read_directory(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_DIRECTORY, words[0], "", .tree = -1});
}

static int read_file(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_FILE, words[0], words[1], .tree = -1});
}

static int read_cover(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_COVER, words[0], words[1], .tree = -1});
}

static int read_symlink(struct description *wanted, char **words)
{
    return add_entry(wanted, (struct entry){ENTRY_SYMLINK, words[0], words[1], .tree = -1});
}

static int read_shared(struct description *wanted, char **words)
{
    struct entry entry = {ENTRY_SHARED, words[0], words[1], .tree = -1, .beneath = words[2]};
    if (!is_plain_path(entry.text))
        return refuse(EINVAL);
    wanted->has_shared = true;
    return read_identity(&entry.owner, words + 3) < 0 ? -1 : add_entry(wanted, entry);
}

static int read_limit(struct description *wanted, char **words)
{
    static const struct {
        const char *name;
        int resource;
    } known[] = {{"core", RLIMIT_CORE},     {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE},
                 {"nproc", RLIMIT_NPROC},   {"stack", RLIMIT_STACK}};
    struct resource_limit limit = {0};
    if (wanted->limit_count == MOST_RLIMITS)
        return refuse(E2BIG);
    if (read_number(words[1], -1, 1LL << 62, &limit.soft) < 0 || read_number(words[2], -1, 1LL << 62, &limit.hard) < 0)
        return -1;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, words[0]) == 0) {
            limit.resource = known[i].resource;
            wanted->limits[wanted->limit_count++] = limit;
            return 0;
        }
    }
    return refuse(EINVAL);
}

static int read_argument(struct description *wanted, char **words)
{
    if (wanted->argument_count == MOST_ARGUMENTS)
        return refuse(E2BIG);
    wanted->arguments[wanted->argument_count++] = words[0];
    return 0;
}

static int read_variable(struct description *wanted, char **words)
{
    if (wanted->variable_count == MOST_VARIABLES)
        return refuse(E2BIG);
    wanted->variables[wanted->variable_count++] = words[0];
    return 0;
}

static int read_companion(struct description *wanted, char **words)
{
    if (wanted->companion_count == MOST_COMPANIONS)
        return refuse(E2BIG);
    wanted->companions[wanted->companion_count++] = words[0];
    return 0;
}

static int read_companion_variable(struct description *wanted, char **words)
{
    if (wanted->companion_variable_count == MOST_VARIABLES)
        return refuse(E2BIG);
    wanted->companion_variables[wanted->companion_variable_count++] = words[0];
    return 0;
}

static const struct verb {
    const char *name;
    int word_count;
    reader read;
} verbs[] = {
    {"user", 4, read_user},                     /* uid gid as the function sees them, uid gid as the launcher does */
    {"keeper", 2, read_keeper},                 /* uid gid, as the launcher sees them, of process 1, which sees 0 */
    {"user-namespace", 0, read_user_namespace}, /* map the ids instead of changing to them */
    {"zygote", 0, read_zygote},                 /* the arguments are a zygote's; no sandbox for a function */
    {"forked", 0, read_forked},                 /* the zygote makes the function's process */
    {"origin", 0, read_origin},                 /* a snapshot will be taken of the function's process */
    {"copy", 0, read_copy},                     /* both processes come from a snapshot; there is no second description */
    {"working-directory", 1, read_working_directory},
    {"tmp", 1, read_tmp},                       /* bytes of /tmp */
    {"shared-memory", 1, read_shared_memory},   /* bytes of /dev/shm */
    {"disk", 3, read_disk},                     /* bytes of /tmp, image to copy, directory for the copy */
    {"shared-cgroup", 1, read_shared_cgroup},   /* path; exists or is made, outlives the sandbox */
    {"cgroup", 1, read_cgroup},                 /* path; made, entered and removed */
    {"set", 3, read_setting},                   /* path of one of those cgroups, file, value */
    {"counters", 2, read_counters},             /* file with "oom_kill N", file with peak memory */
    {"thaw", 2, read_thaw},                     /* file and what to write to it, for what is frozen doesn't even die */
    {"bind", 2, read_bind},                     /* path in the sandbox, path on the host; read-only */
    {"bind-if-present", 2, read_optional_bind},
    {"directory", 1, read_directory},
    {"file", 2, read_file},                     /* path content */
    {"cover", 2, read_cover},                   /* path content; in place of a file that is there, in a read-only view */
    {"symlink", 2, read_symlink},               /* path target */
    {"shared", 5, read_shared},                 /* path, directory on the host, path beneath it, uid gid there; writable */
    {"rlimit", 3, read_limit},                  /* name soft hard; -1 is unlimited */
    {"argument", 1, read_argument},
    {"variable", 1, read_variable},             /* NAME=VALUE */
    {"companion", 1, read_companion},           /* path of a program that runs beside the function's process */
    {"companion-variable", 1, read_companion_variable},
};

static char *next_word(char **position, const char *end)
{
    if (*position >= end)
        return NULL;
    char *word = *position;
    *position += strlen(word) + 1;
    return word;
}

static int read_record(struct launch *launch, const char *verb, char **position, const char *end)
{
    set_detail(launch, verb);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, verb) != 0)
            continue;
        char *words[MOST_WORDS] = {0};
        for (int w = 0; w < verbs[i].word_count; w++)
            if ((words[w] = next_word(position, end)) == NULL)
                return refuse(EINVAL);
        return verbs[i].read(&launch->wanted, words);
    }
    return refuse(EINVAL);
}

static ssize_t read_all(int descriptor, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t count = pread(descriptor, buffer + length, size - length, (off_t)length);
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        length += (size_t)count;
    }
    return (ssize_t)length;
}

static int check_first(const struct description *wanted)
{
    if (wanted->is_copy && (!wanted->has_user_namespace || !wanted->has_keeper || wanted->shared_memory_bytes == 0 ||
                            wanted->limit_count != 1 || wanted->limits[0].resource != RLIMIT_NPROC))
        return refuse(EINVAL);
    if (wanted->is_origin && (wanted->has_user_namespace || wanted->is_forked))
        return refuse(EINVAL);
    bool is_complete = wanted->is_zygote ? wanted->argument_count > 0 && !wanted->is_forked
                                         : wanted->inside.user_id != 0 && wanted->tmp_bytes > 0;
    return is_complete ? 0 : refuse(EINVAL);
}

static int check_second(const struct description *wanted)
{
    /* A process that waits or is to be copied has begun already. */
    bool can_be_held = !wanted->is_forked && !wanted->is_origin && wanted->argument_count > 0;
    if (wanted->companion_count > 0 && !can_be_held)
        return refuse(EINVAL);
    return wanted->shared_memory_bytes > 0 ? 0 : refuse(EINVAL);
}

int read_description(struct launch *launch)
{
    struct description *wanted = &launch->wanted;
    bool is_first = wanted->text_length == 0;
    char *text = wanted->text + wanted->text_length;
    ssize_t length = read_all(launch->description, text, MOST_DESCRIPTION_BYTES + 1);
    if (length < 0)
        return -1;
    if (length == 0 || length > MOST_DESCRIPTION_BYTES || text[length - 1] != '\0')
        return refuse(EINVAL);
    wanted->text_length += (size_t)length;
    wanted->disk = (struct disk){0}; /* what was prepared isn't what is wanted now */
    char *position = text;
    for (char *verb; (verb = next_word(&position, text + length)) != NULL;)
        if (read_record(launch, verb, &position, text + length) < 0)
            return -1;
    if (is_first)
        close(launch->description);
    set_detail(launch, "incomplete");
    return is_first ? check_first(wanted) : check_second(wanted);
}
