/*
 * Snapshots: the process that ran a function's INIT is held still, and copies of it become environments. It is never
 * trusted: until it is held it is a function like any other, and from then on it never runs again. Others do the work:
 *
 * the launcher of its sandbox, called supervisor here, holds it by ptrace and copies it (hold.c, seal.c, copy.c);
 * the launcher of each environment makes everything around the copy (environment.c, furnish.c);
 * process 1 of each environment is this program again (stub.c).
 *
 * docs/concepts/snapstart.md tells why each check is there.
 */
#ifndef LAMPION_SNAPSHOT_H
#define LAMPION_SNAPSHOT_H

#include "../launcher.h"
#include "registers.h"

enum {
    MOST_HELD_DESCRIPTORS = 256,
    SCRATCH_BYTES = 4096,
    MOST_REASON_BYTES = 256,
    HOLD_MILLISECONDS = 5000,
    STEP_MILLISECONDS = 5000, /* a system call done for a process, or an answer of a process of ours */
};

/* Where the origin's sandbox and every environment have this program. */
#define STUB_PATH "/var/lampion/process-1"

/* What stands behind a descriptor of the held process, and so what its copies get in its place. */
enum held_kind { HELD_KEPT, HELD_OUTPUT, HELD_TELEMETRY, HELD_SOCKET };

struct held_descriptor {
    int number;
    enum held_kind kind;
    bool closes_on_exec;
};

struct supervisor {
    struct launch *launch;
    pid_t held;                   /* 0 when nothing is held (any more) */
    int handle;                   /* the same as a descriptor */
    int requests;                 /* where environments ask for copies */
    unsigned long place;          /* the address after the system call at which it is held */
    unsigned long scratch;        /* SCRATCH_BYTES of its memory, and of its copies', for arguments of system calls */
    bool is_settled;              /* it stands where it is held, not at the call that made a copy */
    struct registers at_fork;     /* as it called fork */
    struct held_descriptor descriptors[MOST_HELD_DESCRIPTORS];
    int descriptor_count;
    char reason[MOST_REASON_BYTES]; /* why something was refused */
};

/* What the function's process of an environment is to be. */
struct destiny {
    struct identity inside; /* as it sees itself */
    struct identity outside;
    unsigned long most_processes;
};

/* A system call to be done by a process that is held. */
struct call {
    long number;
    unsigned long arguments[6];
};

/* stops.c: -1 with a reason when anything but what is awaited happens, or nothing in time */
long long milliseconds_now(void);
int refuse_because(struct supervisor *supervisor, const char *format, ...) __attribute__((format(printf, 2, 3)));
int await_change(pid_t pid, long long until, int *status);
int resume(pid_t pid, int signal);
int await_entry(struct supervisor *supervisor, pid_t pid, struct call_stop *stop);
int await_exit(struct supervisor *supervisor, pid_t pid, long *result);
int await_event(struct supervisor *supervisor, pid_t pid, int event, unsigned long *message);
int await_child(struct supervisor *supervisor, pid_t parent, pid_t *child, long *error);
bool is_event(int status, int event);

/* inject.c */
int start_call(struct supervisor *supervisor, pid_t pid, const struct call *call);
int end_call(struct supervisor *supervisor, pid_t pid, long *result);
int do_call(struct supervisor *supervisor, pid_t pid, const struct call *call, long *result);
int must_call(struct supervisor *supervisor, pid_t pid, const char *what, const struct call *call, long *result);
int put(struct supervisor *supervisor, pid_t pid, unsigned long offset, const void *bytes, size_t count);
int get(struct supervisor *supervisor, pid_t pid, unsigned long offset, void *bytes, size_t count);
int let_go_on(struct supervisor *supervisor, pid_t pid);
int receive_inside(struct supervisor *supervisor, pid_t pid, int channel, int *numbers, int count);

/* hold.c */
int hold_at_fork(struct supervisor *supervisor);
void drop_held(struct supervisor *supervisor);
void drop_traced(pid_t pid);

/* seal.c, proc_files.c */
int check_seal(struct supervisor *supervisor);
int read_proc(pid_t pid, const char *file, char *text, size_t size);
int read_field(const char *status, const char *name, char *value, size_t size);
int check_same_namespaces(struct supervisor *supervisor, pid_t pid, pid_t other);
int check_new_namespaces(struct supervisor *supervisor, pid_t pid, pid_t other);

/* descriptors.c */
int list_descriptors(struct supervisor *supervisor);

/* copy.c, become.c, verify.c */
bool serve_copy(struct supervisor *supervisor);
int become_function(struct supervisor *supervisor, pid_t pid, const struct destiny *destiny,
                    const struct message *given);
int become_process_1(struct supervisor *supervisor, pid_t pid, int channel, long function);
int verify_function(struct supervisor *supervisor, pid_t pid, pid_t process_1, const struct identity *identity);


#endif
