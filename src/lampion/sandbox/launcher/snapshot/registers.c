/* See registers.h. */
#include "registers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static int transfer(long request, pid_t pid, long set, void *place, size_t size)
{
    struct iovec part = {place, size};
    return ptrace(request, pid, set, &part) < 0 ? -1 : 0;
}

static bool has_bytes(pid_t pid, unsigned long address, const unsigned char *bytes, size_t count)
{
    unsigned char found[8];
    struct iovec ours = {found, count}, theirs = {(void *)address, count};
    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == (ssize_t)count && memcmp(found, bytes, count) == 0;
}

#if defined(__x86_64__)

static const unsigned char instruction[] = {0x0f, 0x05};

int read_registers(pid_t pid, struct registers *registers)
{
    return transfer(PTRACE_GETREGSET, pid, NT_PRSTATUS, &registers->all, sizeof registers->all);
}

int write_registers(pid_t pid, const struct registers *registers)
{
    return transfer(PTRACE_SETREGSET, pid, NT_PRSTATUS, (void *)&registers->all, sizeof registers->all);
}

void set_call(struct registers *registers, long number, const unsigned long *arguments)
{
    registers->all.orig_rax = (unsigned long long)number;
    registers->all.rdi = arguments[0];
    registers->all.rsi = arguments[1];
    registers->all.rdx = arguments[2];
    registers->all.r10 = arguments[3];
    registers->all.r8 = arguments[4];
    registers->all.r9 = arguments[5];
}

void set_repeat(struct registers *registers, unsigned long place)
{
    registers->all.rip = place - sizeof instruction;
}

void set_no_call(struct registers *registers, long result)
{
    registers->all.orig_rax = (unsigned long long)-1;
    registers->all.rax = (unsigned long long)result;
}

#else

static const unsigned char instruction[] = {0x01, 0x00, 0x00, 0xd4};

int read_registers(pid_t pid, struct registers *registers)
{
    if (transfer(PTRACE_GETREGSET, pid, NT_PRSTATUS, &registers->all, sizeof registers->all) < 0)
        return -1;
    int call = 0;
    int result = transfer(PTRACE_GETREGSET, pid, NT_ARM_SYSTEM_CALL, &call, sizeof call);
    registers->call = call;
    return result;
}

int write_registers(pid_t pid, const struct registers *registers)
{
    int call = (int)registers->call;
    if (transfer(PTRACE_SETREGSET, pid, NT_PRSTATUS, (void *)&registers->all, sizeof registers->all) < 0)
        return -1;
    return transfer(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call, sizeof call);
}

void set_call(struct registers *registers, long number, const unsigned long *arguments)
{
    registers->call = number;
    registers->all.regs[8] = (unsigned long long)number;
    for (int i = 0; i < 6; i++)
        registers->all.regs[i] = arguments[i];
}

void set_repeat(struct registers *registers, unsigned long place)
{
    registers->all.pc = place - sizeof instruction;
}

void set_no_call(struct registers *registers, long result)
{
    registers->call = -1;
    registers->all.regs[0] = (unsigned long long)result;
}

#endif

bool is_call_instruction(pid_t pid, unsigned long place)
{
    return has_bytes(pid, place - sizeof instruction, instruction, sizeof instruction);
}
