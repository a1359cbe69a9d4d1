/* /proc of the sandbox's own process numbers, without the parts that speak about or steer the whole machine. */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const hidden_files[] = {
    "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/kallsyms", "/proc/kmsg", "/proc/kpagecount",
    "/proc/kpageflags", "/proc/kpagecgroup", "/proc/timer_list", "/proc/sched_debug", "/proc/sysrq-trigger",
    "/proc/vmallocinfo", "/proc/config.gz",
    /* What the machine is, and counters that tell what others do. */
    "/proc/cmdline", "/proc/sys/kernel/random/boot_id", "/proc/interrupts", "/proc/softirqs", "/proc/schedstat",
    "/proc/diskstats", "/proc/partitions", "/proc/vmstat", "/proc/buddyinfo", "/proc/zoneinfo",
};
static const char *const hidden_directories[] = {"/proc/acpi", "/proc/scsi"};
static const char *const read_only[] = {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Not every kernel has every file. */
static int unless_missing(int result)
{
    return result < 0 && errno != ENOENT ? -1 : 0;
}

static int make_read_only(const char *path)
{
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        return unless_missing(-1);
    return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL);
}

/* The kernel lets an ordinary user have a /proc only where one without covered parts is in sight. */
int open_proc(struct launch *launch)
{
    int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    launch->proc = (int)syscall(
        SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    close(context);
    return launch->proc < 0 ? -1 : 0;
}

int mount_proc(struct launch *launch)
{
    set_detail(launch, "/proc");
    if (attach_tree(launch->proc, "/proc") < 0)
        return -1;
    for (size_t i = 0; i < COUNT(hidden_directories); i++) {
        set_detail(launch, hidden_directories[i]);
        if (unless_missing(mount("tmpfs", hidden_directories[i], "tmpfs", SAFE | MS_RDONLY, "size=4k,nr_inodes=2")) < 0)
            return -1;
    }
    for (size_t i = 0; i < COUNT(read_only); i++) {
        set_detail(launch, read_only[i]);
        if (make_read_only(read_only[i]) < 0)
            return -1;
    }
    for (size_t i = 0; i < COUNT(hidden_files); i++) {
        set_detail(launch, hidden_files[i]);
        if (unless_missing(mount("/dev/null", hidden_files[i], NULL, MS_BIND, NULL)) < 0)
            return -1;
    }
    return 0;
}
