/*
 * The fork server for Ruby, which has no way for others to make a copy of its process, but itself does all that a copy
 * needs when it calls the C library's fork. So this file is preloaded, and stands in for that function: the first call
 * serves as a zygote, and in each copy returns as fork does in a child. From then on it is the C library's again.
 */
#include "../launcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

typedef pid_t (*Fork)(void);

static Fork of_library;
static int requests = -1; /* where a zygote hears of the copies that it is to make */

__attribute__((constructor)) static void learn_what_to_be(void)
{
    const char *descriptor = getenv("LAMPION_ZYGOTE_REQUESTS");
    *(void **)&of_library = dlsym(RTLD_NEXT, "fork");
    if (descriptor != NULL)
        requests = atoi(descriptor);
}

__attribute__((visibility("default"))) pid_t fork(void)
{
    int descriptor = requests;
    if (descriptor < 0)
        return of_library();
    requests = -1;
    if (serve_as_zygote(descriptor, true) == 0)
        return 0;
    errno = ECANCELED;
    return -1;
}
