/* The registers with which a system call is made, read and written by ptrace. arm64 was neither compiled nor run. */
#ifndef LAMPION_REGISTERS_H
#define LAMPION_REGISTERS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE 0xc000003eU
struct registers {
    struct user_regs_struct all;
};
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE 0xc00000b7U
struct registers {
    struct user_regs_struct all;
    long call;
};
#else
#error "snapshots know x86-64 and arm64"
#endif

/* Where a process stands at the entry of a system call. */
struct call_stop {
    unsigned architecture;
    unsigned long place; /* the address after the instruction */
    unsigned long long number;
    unsigned long long arguments[6];
};

int read_registers(pid_t pid, struct registers *registers);
int write_registers(pid_t pid, const struct registers *registers);
/* At an entry: another call instead, after which the instruction is executed once more. */
void set_call(struct registers *registers, long number, const unsigned long *arguments);
void set_repeat(struct registers *registers, unsigned long place);
/* At an entry: no call at all but this result. */
void set_no_call(struct registers *registers, long result);
/* Whether the instruction before `place` is the one that makes system calls. */
bool is_call_instruction(pid_t pid, unsigned long place);

#endif
