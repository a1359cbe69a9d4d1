/*
 * /tmp as a disk of its own: a small file system in a file without a name, so that what a function writes there isn't
 * its memory. The mount is attached in the sandbox only; file and loop device end with the last mount, whoever dies.
 */
#include "launcher.h"
#include "mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LOOP_ATTEMPTS = 1000, /* each fails because another process got the device */
    SECTOR_BYTES = 4096,
    WORTH_DISCARDING_BYTES = 64 << 20,
    COPY_BYTES = 64 << 10,
    READ_AHEAD_BYTES = 64 << 10,
};

/* Of <linux/ext4.h>, which is younger than the oldest kernel that we run on. */
#define SHUT_DOWN _IOR('X', 125, __u32)
#define WITHOUT_WRITING 2U

static int close_and_fail(int descriptor)
{
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int copy_range(int source, int target, off_t from, off_t end)
{
    char piece[COPY_BYTES];
    while (from < end) {
        size_t wanted = end - from < COPY_BYTES ? (size_t)(end - from) : sizeof piece;
        ssize_t count = pread(source, piece, wanted, from);
        if (count <= 0)
            return count < 0 ? -1 : 0;
        ssize_t written = pwrite(target, piece, (size_t)count, from);
        if (written < 0)
            return -1;
        from += written;
    }
    return 0;
}

/* Only what isn't a hole: all the rest of the copy reads as zeros, whatever was on the host's disk there. */
static int copy_image(int source, int target)
{
    struct stat status;
    if (fstat(source, &status) < 0 || ftruncate(target, status.st_size) < 0)
        return -1;
    for (off_t position = 0; (position = lseek(source, position, SEEK_DATA)) >= 0;) {
        off_t end = lseek(source, position, SEEK_HOLE);
        if (end < 0 || copy_range(source, target, position, end) < 0)
            return -1;
        position = end;
    }
    return errno == ENXIO ? 0 : -1; /* no more data */
}

/* In a file system that lies in memory, the disk would be memory again. */
static bool is_in_memory(int descriptor)
{
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

static int make_image(struct launch *launch)
{
    const struct disk *wanted = &launch->wanted.disk;
    set_detail(launch, wanted->directory);
    int source = open(wanted->template, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return -1;
    int image = open(wanted->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (image < 0)
        return close_and_fail(source);
    if (is_in_memory(image)) {
        set_detail(launch, "a file system in memory"); /* disks.py knows these words */
        errno = EOPNOTSUPP;
        close(source);
        return close_and_fail(image);
    }
    int result = copy_image(source, image);
    int error = errno;
    close(source);
    errno = error;
    return result < 0 ? close_and_fail(image) : image;
}

/* A free device, or -1 with EBUSY or ENXIO when somebody else has just taken or removed it. Its name is left in `device`. */
static int try_device(int loop_control, const struct loop_config *config, char *device, size_t size)
{
    int number = ioctl(loop_control, LOOP_CTL_GET_FREE);
    if (number < 0)
        return -1;
    snprintf(device, size, "/dev/loop%d", number);
    int loop = open(device, O_RDWR | O_CLOEXEC);
    if (loop < 0)
        return -1;
    return ioctl(loop, LOOP_CONFIGURE, config) < 0 ? close_and_fail(loop) : loop;
}

/*
 * Direct: what the function's file system caches isn't cached once more as the host's. The kernel takes the device
 * apart at its last close.
 */
static int attach_device(int image, char *device, size_t size)
{
    const struct loop_config config = {
        .fd = (unsigned)image,
        .block_size = SECTOR_BYTES,
        .info = {.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO},
    };
    int loop_control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), loop = -1;
    snprintf(device, size, "/dev/loop-control");
    if (loop_control < 0)
        return -1;
    for (int attempt = 0; attempt < LOOP_ATTEMPTS; attempt++)
        if ((loop = try_device(loop_control, &config, device, size)) >= 0 || (errno != EBUSY && errno != ENXIO))
            break;
    int error = errno;
    close(loop_control);
    errno = error;
    return loop;
}

static int configure(int context, const char *device)
{
    /*
     * Deleted files give their space back to the host, whose disk isn't made to wait for what no one needs after
     * a crash. Metadata that can't be written stops the writing.
     */
    static const char *const flags[] = {"discard", "nobarrier", "noinit_itable"};
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
        syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "errors", "remount-ro", 0) < 0)
        return -1;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, flags[i], NULL, 0) < 0)
            return -1;
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int mount_device(const char *device)
{
    int context = (int)syscall(SYS_fsopen, "ext4", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    if (configure(context, device) < 0)
        return close_and_fail(context);
    int tree = (int)syscall(
        SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
    return tree < 0 ? close_and_fail(context) : (close(context), tree);
}

/* At once, for mounting would ask for it piece by piece, each time waiting for a thread of the kernel's. */
static void read_ahead(int loop)
{
    char begin[READ_AHEAD_BYTES];
    ssize_t count = pread(loop, begin, sizeof begin, 0);
    (void)count; /* mounting finds out what is wrong */
}

static int make_disk(struct launch *launch)
{
    char device[32];
    int image = make_image(launch);
    if (image < 0)
        return -1;
    int loop = attach_device(image, device, sizeof device);
    set_detail(launch, device);
    if (loop < 0)
        return close_and_fail(image);
    close(image);
    read_ahead(loop);
    int tree = mount_device(device);
    if (tree < 0)
        return close_and_fail(loop);
    close(loop);
    return tree;
}

/* The disk that the description asks for, if it does. */
int open_disk(struct launch *launch)
{
    const struct description *wanted = &launch->wanted;
    if (wanted->disk.bytes == 0)
        return 0;
    if ((launch->disk = make_disk(launch)) < 0)
        return -1;
    /* As the sandbox sees it, the directory is root's; anybody may write to it. */
    if (fchmodat(launch->disk, ".", 01777, 0) < 0)
        return -1;
    return fchownat(launch->disk, "", wanted->keeper.user_id, wanted->keeper.group_id, AT_EMPTY_PATH);
}

/* What the function wrote and the kernel hasn't written yet needn't reach the disk any more. */
static void discard_unwritten(int tree)
{
    struct statfs status;
    unsigned how = WITHOUT_WRITING;
    int directory = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return;
    /* The kernel logs it each time, so not for a trifle. */
    if (fstatfs(directory, &status) == 0 &&
        (status.f_blocks - status.f_bfree) * (unsigned long long)status.f_bsize > WORTH_DISCARDING_BYTES)
        ioctl(directory, SHUT_DOWN, &how);
    close(directory);
}

/* After the sandbox's end ours is the last reference: this unmounts. */
void drop_disk(struct launch *launch)
{
    if (launch->disk < 0)
        return;
    if (launch->init > 0)
        discard_unwritten(launch->disk);
    close(launch->disk);
    launch->disk = -1;
}

static int check_empty(struct launch *launch)
{
    if (faccessat(launch->disk, "lost+found", F_OK, 0) < 0)
        return 0;
    errno = ENOTEMPTY;
    return -1;
}

/* To process 1, which waits for it. The descriptor is copied: with ours we have a hand in the disk's end. */
int hand_disk(struct launch *launch)
{
    if (launch->wanted.is_zygote)
        return 0;
    return send_message(launch->outside, "disk", &launch->disk, launch->disk >= 0);
}

int take_disk(struct launch *launch)
{
    struct message message;
    if (receive_message(launch->inside, &message) <= 0) {
        errno = EPIPE;
        return -1;
    }
    launch->disk = message.count > 0 ? message.descriptors[0] : -1;
    return 0;
}

/* Whether it would work for a sandbox: 0 when it did. Nothing of it is left. */
int try_disk(struct launch *launch, const char *template, const char *directory)
{
    launch->disk = -1;
    launch->wanted.disk = (struct disk){1, template, directory};
    if (open_disk(launch) < 0 || check_empty(launch) < 0) {
        fprintf(stderr, "%s: %s\n", launch->detail, strerror(errno));
        return 1;
    }
    drop_disk(launch);
    return 0;
}
