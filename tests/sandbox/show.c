/* show PATH...: of each a line: the names in a directory, the content of a file, or what hinders. Static. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void show(const char *path)
{
    char text[4096];
    DIR *directory = opendir(path);
    if (directory != NULL) {
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
            printf("%s ", entry->d_name);
        closedir(directory);
    } else {
        int file = open(path, O_RDONLY);
        ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
        text[count < 0 ? 0 : count] = '\0';
        printf("%s", count < 0 ? strerror(errno) : text);
        close(file);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        show(argv[i]);
    return open("/written", O_CREAT | O_WRONLY, 0600) >= 0 || open("/etc/written", O_CREAT | O_WRONLY, 0600) >= 0;
}
