/* Lists of steps: the launcher's, and those of a zygote's copy. */
#include "launcher.h"

const char *take_steps(const struct step *steps, struct launch *launch)
{
    for (; steps->name != NULL; steps++) {
        launch->detail[0] = '\0';
        if (steps->take(launch) < 0)
            return steps->name;
    }
    return NULL;
}
