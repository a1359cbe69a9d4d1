/*
 * A second wall behind the mounts, where the kernel has Landlock: whatever a function finds, it writes in its own
 * directories only, and it reaches no process or abstract socket outside its sandbox.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in <linux/landlock.h>, which may be older than the kernel. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };
enum {
    WRITE_FILE = 1 << 1,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,     /* from version 2 on */
    TRUNCATE = 1 << 14,  /* 3 */
    IOCTL_DEV = 1 << 15, /* 5 */
};
enum { SCOPE_ABSTRACT_SOCKETS = 1 << 0, SCOPE_SIGNALS = 1 << 1 /* both 6 */ };

enum {
    FILL = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM | REFER |
           TRUNCATE,
    FORBIDDEN = FILL | MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV,
};

struct ruleset {
    unsigned long long file_rights;
    unsigned long long network_rights;
    unsigned long long scopes;
};

struct __attribute__((packed)) path_rule {
    unsigned long long rights;
    int directory;
};

static const struct {
    const char *path;
    unsigned long long rights;
} exceptions[] = {{"/tmp", FILL}, {"/dev/shm", FILL}, {"/dev", WRITE_FILE | TRUNCATE | IOCTL_DEV}, {"/proc", WRITE_FILE}};

static unsigned long long known_rights(long version)
{
    return FORBIDDEN & ~(version < 2 ? REFER : 0ULL) & ~(version < 3 ? TRUNCATE : 0ULL) &
           ~(version < 5 ? IOCTL_DEV : 0ULL);
}

static int allow_beneath(int ruleset, const char *path, unsigned long long rights)
{
    struct path_rule rule = {.rights = rights, .directory = open(path, O_PATH | O_CLOEXEC)};
    if (rule.directory < 0)
        return -1;
    int result = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
    close(rule.directory);
    return result;
}

/* `launch->rules` becomes -1 when Landlock isn't in this kernel, or is switched off. */
int make_rules(struct launch *launch)
{
    long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    launch->rules = -1;
    if (version < 1)
        return 0;
    unsigned long long rights = known_rights(version);
    /* Companions would be outside too, each being restricted by itself. */
    bool is_scoped = version >= 6 && launch->wanted.companion_count == 0;
    struct ruleset wanted = {rights, 0, is_scoped ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0};
    /* An older kernel wants a shorter structure. */
    size_t size = version < 4 ? 8 : version < 6 ? 16 : sizeof wanted;
    int ruleset = (int)syscall(CREATE_RULESET, &wanted, size, 0);
    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        set_detail(launch, exceptions[i].path);
        if (allow_beneath(ruleset, exceptions[i].path, exceptions[i].rights & rights) < 0)
            return -1;
    }
    for (int i = 0; i < launch->wanted.entry_count; i++) {
        const struct entry *entry = &launch->wanted.entries[i];
        if (entry->kind == ENTRY_SHARED && allow_beneath(ruleset, entry->path, FILL & rights) < 0)
            return -1;
    }
    launch->rules = ruleset;
    return 0;
}

int restrict_writing(struct launch *launch)
{
    /* Rules hold for the directories of one sandbox: each copy of a snapshot gets its own (snapshot/furnish.c). */
    if (launch->wanted.is_origin)
        return 0;
    if (make_rules(launch) < 0)
        return -1;
    if (launch->rules < 0)
        return 0;
    int result = (int)syscall(RESTRICT_SELF, launch->rules, 0);
    close(launch->rules);
    return result;
}
