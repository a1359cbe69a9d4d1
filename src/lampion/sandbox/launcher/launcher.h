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
    MOST_ARGUMENTS = 4096,
    MOST_VARIABLES = 2048,
    MOST_RLIMITS = 16,
    MOST_COMPANIONS = 10,
    MOST_MESSAGE_BYTES = 1024,
    MOST_DESCRIPTORS = MOST_ENTRIES + 8, /* in one message; the kernel takes 253 */
    DEVICE_COUNT = 5,
    RUNTIME_API_PORT = 9001,
    GATEWAY_PORT = 9002,
    LISTENER_COUNT = 2,
};

/* What the function's process finds open. */
enum { TELEMETRY_DESCRIPTOR = 3, ORDERS_DESCRIPTOR = 4, FIRST_UNUSED_DESCRIPTOR = 5 };

/* Where arrange_descriptors, which puts them in their places, touches none but copies of its own. */
enum { OUT_OF_THE_WAY = 32 };

/* A directory of the cgroup file system. A shared one is an ancestor that other sandboxes use too. */
struct cgroup {
    const char *path;
    bool is_shared;
};

/* A value for a file of a cgroup. */
struct setting {
    const struct cgroup *cgroup;
    const char *file;
    const char *value;
};

enum entry_kind { ENTRY_BIND, ENTRY_DIRECTORY, ENTRY_FILE, ENTRY_COVER, ENTRY_SYMLINK, ENTRY_SHARED };

struct identity {
    unsigned user_id;
    unsigned group_id;
};

/* One name in the sandbox's file system; `text` is a host path, a content or a link's target. */
struct entry {
    enum entry_kind kind;
    const char *path;
    const char *text;
    bool is_optional;
    int tree; /* BIND, SHARED: the detached mount, -1 when the optional source is missing */
    const char *beneath;  /* SHARED: the part of the host directory that is meant; empty for all of it */
    struct identity owner; /* SHARED: who the function is there, as the launcher numbers users */
};

/* Which file it is, whoever opened it. */
struct file_identity {
    dev_t device;
    ino_t number;
};

struct resource_limit {
    int resource;
    long long soft;
    long long hard;
};

/* An image to copy, and where its copies lie; `bytes`, of /tmp, is 0 when there is to be no disk. */
struct disk {
    unsigned long long bytes;
    const char *template;
    const char *directory;
};

/*
 * What the server asks for, in one description when the sandbox is prepared and a second one when a function gets it.
 * Every pointer points into `text`, which holds both.
 */
struct description {
    char text[2 * (MOST_DESCRIPTION_BYTES + 1)];
    size_t text_length;
    bool has_user_namespace; /* ids are mapped, not changed */
    bool has_keeper;         /* process 1 has an id of its own: 0 inside */
    bool has_shared; /* one of the entries is a directory that the function may write to */
    bool is_zygote;          /* no function's sandbox but the place of a zygote */
    bool is_forked;          /* the function's process comes from a zygote */
    bool is_origin;          /* a snapshot is to be taken of the function's process */
    bool is_copy;            /* both processes come from a snapshot */
    struct identity inside;  /* the function's user as it sees itself */
    struct identity outside; /* the same as the launcher sees it */
    struct identity keeper;  /* process 1 as the launcher sees it */
    unsigned long long tmp_bytes;
    unsigned long long shared_memory_bytes;
    struct disk disk;
    const char *working_directory;
    const char *oom_file;  /* holds a line "oom_kill N" */
    const char *peak_file; /* holds the high-water mark of memory in bytes */
    const char *freeze_file; /* takes `thawed`; NULL when a frozen process can be killed */
    const char *thawed;
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
    char *companions[MOST_COMPANIONS]; /* programs that run beside the function's process, see companions.c */
    int companion_count;
    char *companion_variables[MOST_VARIABLES + 1];
    int companion_variable_count;
};

/* A text with descriptors, which the receiver owns. */
struct message {
    char text[MOST_MESSAGE_BYTES];
    int descriptors[MOST_DESCRIPTORS];
    int count;
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
    int zygote;          /* where the zygote is asked for processes, or where it is asked from; -1 when there is none */
    int orders_in;       /* the pipe through which a waiting process learns what it is to be */
    int orders_out;
    int hello_in;        /* the channel on which a process from the zygote says that it is there */
    int hello_out;
    int listeners[LISTENER_COUNT]; /* the Runtime API's and the gateway's, made in the sandbox's network */
    int rules;           /* Landlock's, made for a copy; -1 where there is none */
    struct file_identity output_file;
    struct file_identity telemetry_file;
    bool outlives_function; /* process 1 stays when the function's process has gone */
    int devices[DEVICE_COUNT]; /* detached mounts, to be attached in the new root */
    int proc;
    int disk;            /* /tmp as a detached mount, -1 when it is to be memory */
    pid_t init;          /* process 1 of the sandbox as the host numbers it; 0 before it exists */
    int init_handle;     /* the same as a descriptor */
    pid_t function;      /* the function's process as process 1 numbers it; 0 before it exists */
    pid_t companions[MOST_COMPANIONS]; /* likewise; 0 as well when one has ended */
    int companion_output; /* what companions write to; -1 when there are none */
    int gate_in;         /* where the function's process waits until it may start; 0 when it needn't */
    int gate_out;
    int gate_report;     /* where it tells why it couldn't */
    int cgroups_made;
    int settings_made;
    int entries_made;
    struct message handed; /* what process 1 was given to specialise the sandbox */
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

/* steps.c: takes the steps in order; the name of the one that failed, or NULL. */
const char *take_steps(const struct step *steps, struct launch *launch);

/* launcher.c */
void run_launch(struct launch *launch);
void run_inside(struct launch *launch);
int specialise_outside(struct launch *launch);
int specialise_inside(struct launch *launch);
void rename_init(struct launch *launch);
void run_function(struct launch *launch, int report);
void run_accompanied(struct launch *launch, int report);

/* channel.c: messages are short texts over SOCK_SEQPACKET, with descriptors. */
int send_message(int channel, const char *text, const int *descriptors, int count);
ssize_t receive_message(int channel, struct message *message);
void close_descriptors(struct message *message);
int send_error(int channel, const char *step, const struct launch *launch, int error);
void set_detail(struct launch *launch, const char *text);

/* description.c */
int read_description(struct launch *launch);

/* cgroups.c */
int create_cgroups(struct launch *launch);
int write_settings(struct launch *launch);
int open_birth_cgroup(struct launch *launch);
int open_task_files(struct launch *launch, int *descriptors);
int enter_cgroups(struct launch *launch);
void thaw(const struct launch *launch);
void remove_cgroups(struct launch *launch, bool with_shared);
long long read_counter(const char *file, const char *name);

/* sources.c */
extern const char *const device_files[DEVICE_COUNT];
int stop_mount_propagation(struct launch *launch);
int open_devices(struct launch *launch);
int open_sources(struct launch *launch);
int show_owners(struct launch *launch);
int let_go_of_sources(struct launch *launch);

/* shared.c */
int open_shared(struct launch *launch);

/* mounts.c */
int enter_new_root(struct launch *launch);
int build_tree(struct launch *launch);
int mount_devices(struct launch *launch);
int mount_temporary(struct launch *launch);
int size_shared_memory(struct launch *launch);
int seal_root(struct launch *launch);
int attach_tree(int tree, const char *path);
int take_trees(struct launch *launch);
int hand_trees(struct launch *launch);

/* disk.c */
int open_disk(struct launch *launch);
void drop_disk(struct launch *launch);
int hand_disk(struct launch *launch);
int take_disk(struct launch *launch);
int try_disk(struct launch *launch, const char *template, const char *directory);

/* proc.c */
int open_proc(struct launch *launch);
int mount_proc(struct launch *launch);

/* network.c */
int raise_loopback(struct launch *launch);
int open_listeners(struct launch *launch);
void close_listeners(struct launch *launch);

/* privileges.c */
int write_map(struct launch *launch, pid_t process, const char *file, const char *text);
int map_ids(struct launch *launch);
int become_keeper(struct launch *launch);
void look_at_core_pattern(void);
int set_resource_limits(struct launch *launch);
int limit_processes_of(struct launch *launch, pid_t process);
int limit_processes(struct launch *launch);
int give_away_pipes(struct launch *launch);
int keep_entry_capabilities(struct launch *launch);
int drop_privileges(struct launch *launch);
int close_to_others(struct launch *launch);


/* seccomp.c */
void build_filter(void);
int filter_system_calls(struct launch *launch);
int filter_modes(struct launch *launch);

/* landlock.c */
int restrict_writing(struct launch *launch);
int make_rules(struct launch *launch);

/* namespaces.c */
int create_channels(struct launch *launch);
int create_init(struct launch *launch);
int release_init(struct launch *launch);
int await_release(struct launch *launch);
int hide_cgroup_path(struct launch *launch);
int set_host_name(struct launch *launch);

/* function.c */
int leave_session(struct launch *launch);
int reset_signals(struct launch *launch);
int arrange_descriptors(struct launch *launch);
void close_function_ends(struct launch *launch);
int enter_working_directory(struct launch *launch);
int execute(struct launch *launch);
int start_function(struct launch *launch);
int give_orders(struct launch *launch);

/* companions.c */
int give_away_companion_pipe(struct launch *launch);
int hold_function(struct launch *launch);
int await_gate(struct launch *launch);
int start_companions(struct launch *launch);
bool obey_for_companions(struct launch *launch, const char *order);
bool reap_accompanied(struct launch *launch, pid_t pid, int status);

/* zygote.c */
int ask_zygote(struct launch *launch);
int await_forked(struct launch *launch);

/*
 * fork_server.c: 0 in the new process, -1 when there will be no more. An interpreter that `closes_its_own` descriptors
 * in the new process, and may not find any of them closed, still has those there.
 */
int serve_as_zygote(int requests, bool closes_its_own);

/* supervise.c */
void kill_all(struct launch *launch, struct ending *ending);
void supervise(struct launch *launch, struct ending *ending);
void await_end(struct launch *launch, struct ending *ending);
void report_end(struct launch *launch, const struct ending *ending, long long oom_kills, long long peak_bytes);

/* init.c */
int run_init(struct launch *launch);
int keep_house(struct launch *launch);

/* snapshot/environment.c, furnish.c, copy_files.c: an environment copied from a snapshot */
int ask_for_copy(struct launch *launch);
int tell_mapped(struct launch *launch);
int furnish(struct launch *launch);
int release_copy(struct launch *launch);
void explain_failure(struct launch *launch);
int copy_directory(int from, int to, const struct identity *owner);

/* snapshot/supervisor.c: the snapshot that environments are copied from */
int take_snapshot(struct launch *launch, int requests, int *handle);
bool hear_environment(void);
void drop_snapshot(void);
void lose_held(struct launch *launch);

/* snapshot/stub.c: process 1 of such an environment, to its end */
int run_stub(struct launch *launch, const char *channel, const char *function);

#endif
