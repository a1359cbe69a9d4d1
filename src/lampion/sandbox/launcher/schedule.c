/* How long a process may run before another one of its kind has its turn. */
#include "launcher.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SHORTEST_NANOSECONDS = 100000 };

/* As in <linux/sched/types.h>, which clashes with <sched.h> in some versions of the C library. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/*
 * For this program and all that comes from it. With turns of several milliseconds, as the kernel gives them, whoever
 * answers a request in a fraction of one would wait that long beside a function that uses a processor up. Kernels
 * before 6.12 don't know it; they go on as they did.
 */
void take_short_turns(void)
{
    const struct attributes wanted = {
        .size = sizeof wanted, .policy = SCHED_OTHER, .niceness = 0, .runtime = SHORTEST_NANOSECONDS};
    syscall(SYS_sched_setattr, 0, &wanted, 0);
}
