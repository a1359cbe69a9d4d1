/* native PROBE TARGETS | native calls STEP... | native i386 NUMBER A B C | native sweep IS_BARE | native rights */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "EFFECTIVE-USER CAPABILITIES": what the kernel made of whoever executed this file. */
static int print_rights(void)
{
    char line[256];
    unsigned long long capabilities = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
            break;
    printf("%d %llx\n", (int)geteuid(), capabilities);
    return 0;
}

static int print_sweep(bool is_bare)
{
    static int numbers[1024];
    int count = sweep(is_bare, numbers, 1024);
    for (int i = 0; i < count; i++)
        printf("%s%d", i > 0 ? ", " : "[", numbers[i]);
    printf("%s]\n", count > 0 ? "" : "[");
    return 0;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "rights") == 0)
        return print_rights();
    if (count == 3 && strcmp(words[1], "sweep") == 0)
        return print_sweep(atoi(words[2]) != 0);
    if (count == 6 && strcmp(words[1], "i386") == 0) {
        long result = call_i386(atoi(words[2]), atoi(words[3]), atoi(words[4]), atoi(words[5]));
        printf("[[%ld, %d, \"\"]]\n", result, result < 0 ? errno : 0);
        return 0;
    }
    if (count > 2 && strcmp(words[1], "calls") == 0)
        return run_calls(count - 2, words + 2);
    if (count != 3)
        return 2;
    run_probe(words[1], words[2]);
    print_answer(words[1]);
    return 0;
}
