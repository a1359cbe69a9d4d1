/* What the parts of the launcher share. launcher.c lists the steps in their order; each part offers steps. */
#ifndef LAMPION_LAUNCHER_H
#define LAMPION_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    MOST_DESCRIPTION_BYTES = 1 << 20,
    MOST_CGROUPS = 16,
    MOST_SETTINGS = 64,
    MOST_ENTRIES = 128,
    MOST_ARGUMENTS = 1024,
    MOST_VARIABLES = 2048,
    MOST_RLIMITS = 16,
    MOST_MESSAGE_BYTES = 1024,
    MOST_DEVICES = 8,
    RUNTIME_API_PORT = 9001,
};

/* A directory of the cgroup file system. A shared one is an ancestor that other sandboxes use too. */
struct cgroup {
    const char *path;
    bool is_shared;
};

/* A value written to a file of a cgroup before anything runs in it. */
struct setting {
    const struct cgroup *cgroup;
    const char *file;
    const char *value;
};

enum entry_kind { ENTRY_BIND, ENTRY_DIRECTORY, ENTRY_FILE, ENTRY_SYMLINK };

/* One name in the sandbox's file system; `text` is a host path, a content or a link's target. */
struct entry {
    enum entry_kind kind;
    const char *path;
    const char *text;
    bool is_optional;
    int tree; /* BIND: the detached mount, -1 when the optional source is missing */
};

struct resource_limit {
    int resource;
    long long soft;
    long long hard;
};

/* What the server asks for. Every pointer points into `text`. */
struct description {
    char text[MOST_DESCRIPTION_BYTES + 1];
    bool has_user_namespace; /* an ordinary user starts us: ids are mapped, not changed */
    unsigned user_id;
    unsigned group_id;
    unsigned long long tmp_bytes;
    unsigned long long shared_memory_bytes;
    const char *working_directory;
    const char *oom_file;  /* holds a line "oom_kill N" */
    const char *peak_file; /* holds the high-water mark of memory in bytes */
    struct cgroup cgroups[MOST_CGROUPS];
    int cgroup_count;
    struct setting settings[MOST_SETTINGS];
    int setting_count;
    struct entry entries[MOST_ENTRIES];
    int entry_count;
    struct resource_limit limits[MOST_RLIMITS];
    int limit_count;
    char *arguments[MOST_ARGUMENTS + 1];
    int argument_count;
    char *variables[MOST_VARIABLES + 1];
    int variable_count;
};

struct launch {
    struct description wanted;
    char **arguments;    /* of the launcher itself */
    char detail[256];    /* what the step in progress is about, for its error message */
    int control;         /* to the server */
    int outside;         /* the launcher's end of the channel to process 1 of the sandbox */
    int inside;          /* process 1's end */
    int description;     /* descriptors given by the server */
    int output;
    int telemetry;
    int listener;        /* the Runtime API's socket, made in the sandbox's network */
    int devices[MOST_DEVICES]; /* detached mounts, to be attached in the new root */
    int proc;
    pid_t init;          /* process 1 of the sandbox as the host numbers it; 0 before it exists */
    int cgroups_made;
};

/* How the sandbox ended. */
struct ending {
    char how[16]; /* "code" or "signal" */
    int number;
    bool is_known;
    bool has_failed; /* an error has been told */
    bool is_killed;  /* by us */
    bool is_server_gone;
};

/* A step returns 0, or -1 with errno set. */
struct step {
    const char *name;
    int (*take)(struct launch *);
};

/* Takes the steps in order; the name of the one that failed, or NULL. */
const char *take_steps(const struct step *steps, struct launch *launch);

void set_detail(struct launch *launch, const char *text);

/* channel.c: messages are short texts over SOCK_SEQPACKET, with at most one descriptor. */
int send_message(int channel, const char *message, int descriptor);
ssize_t receive_message(int channel, char *message, size_t size, int *descriptor);
int send_error(int channel, const char *step, const struct launch *launch, int error);

/* description.c */
int read_description(struct launch *launch);

/* cgroups.c */
int create_cgroups(struct launch *launch);
int open_birth_cgroup(struct launch *launch);
int enter_cgroups(struct launch *launch);
void remove_cgroups(struct launch *launch, bool with_shared);
long long read_counter(const char *file, const char *name);

/* mounts.c */
int stop_mount_propagation(struct launch *launch);
int open_sources(struct launch *launch);
int enter_new_root(struct launch *launch);
int build_tree(struct launch *launch);
int mount_devices(struct launch *launch);
int mount_temporary(struct launch *launch);
int seal_root(struct launch *launch);
int attach_tree(int tree, const char *path);

/* images.c */
int open_image(const char *path);

/* proc.c */
int open_proc(struct launch *launch);
int mount_proc(struct launch *launch);

/* network.c */
int raise_loopback(struct launch *launch);
int open_listener(struct launch *launch);

/* privileges.c */
int map_ids(struct launch *launch);
int set_resource_limits(struct launch *launch);
int give_away_pipes(struct launch *launch);
int drop_privileges(struct launch *launch);

/* supervise.c */
void kill_all(struct launch *launch, struct ending *ending);
void supervise(struct launch *launch, struct ending *ending);
void await_end(struct launch *launch, struct ending *ending);
void report_end(struct launch *launch, const struct ending *ending, long long oom_kills, long long peak_bytes);

/* init.c */
int run_init(struct launch *launch);

#endif
