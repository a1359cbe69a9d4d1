/* <sys/mount.h> and <linux/mount.h> clash in some versions of the C library: the few names of the former are here. */
#ifndef LAMPION_MOUNT_API_H
#define LAMPION_MOUNT_API_H

#include <linux/mount.h>

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);

enum { DETACH_MOUNT = 2 };

#endif
