/* The supervisor's share of a launcher's life: from the order to take a snapshot on, requests for copies. */
#include "snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct supervisor supervisor;

/* `handle` is the held process's, readable when that has died. -1 when it was refused, which ends the sandbox. */
int take_snapshot(struct launch *launch, int requests, int *handle)
{
    char text[MOST_MESSAGE_BYTES];
    supervisor = (struct supervisor){.launch = launch, .requests = requests};
    if (launch->wanted.is_origin && hold_at_fork(&supervisor) == 0 && check_seal(&supervisor) == 0 &&
        send_message(launch->outside, "hold", NULL, 0) == 0) {
        *handle = supervisor.handle;
        return send_message(launch->control, "sealed", NULL, 0);
    }
    drop_held(&supervisor);
    close(requests);
    snprintf(text, sizeof text, "refused %s", supervisor.reason);
    send_message(launch->control, text, NULL, 0);
    return -1;
}

/* It has died, perhaps for want of memory on the machine; its copies go on. */
void lose_held(struct launch *launch)
{
    drop_held(&supervisor);
    send_message(launch->control, "lost", NULL, 0);
}

/* False when nobody will ask any more: environments live on, but the held process isn't needed. */
bool hear_environment(void)
{
    if (serve_copy(&supervisor))
        return true;
    close(supervisor.requests);
    drop_snapshot();
    return false;
}

/* Process 1 doesn't end before it: whom we trace we must have waited for. */
void drop_snapshot(void)
{
    drop_held(&supervisor);
}
