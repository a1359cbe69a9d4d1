/* A custom runtime as a compiled language brings it: one static program, which answers every event with itself. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20 };

static int connected(const char *address)
{
    char host[64];
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strchr(address, ':');
    if (colon == NULL || colon - address >= (long)sizeof host)
        exit(2);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    to.sin_port = htons((unsigned short)atoi(colon + 1));
    int server = socket(AF_INET, SOCK_STREAM, 0), at_once = 1;
    /* Head and body of a request go out one after the other: the body is not to wait until the head is acknowledged. */
    if (setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once) < 0)
        exit(3);
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || connect(server, (struct sockaddr *)&to, sizeof to) < 0)
        exit(3);
    return server;
}

static void send_all(int server, const char *text, size_t length)
{
    for (ssize_t count; length > 0; text += count, length -= (size_t)count)
        if ((count = write(server, text, length)) <= 0)
            exit(4);
}

/* The whole answer, head and body; the body begins at what is returned. */
static char *answer(int server, char *text, size_t *body_bytes)
{
    size_t length = 0;
    char *body = NULL;
    for (;;) {
        ssize_t count = read(server, text + length, MOST_BYTES - 1 - length);
        if (count <= 0)
            exit(5);
        length += (size_t)count;
        text[length] = '\0';
        if (body == NULL && (body = strstr(text, "\r\n\r\n")) != NULL)
            body += 4;
        char *size = body == NULL ? NULL : strcasestr(text, "\r\nContent-Length:");
        *body_bytes = size == NULL ? 0 : (size_t)atol(size + strlen("\r\nContent-Length:"));
        if (body != NULL && (size_t)(text + length - body) >= *body_bytes)
            return body;
    }
}

int main(int count, char **arguments)
{
    static char text[MOST_BYTES], head[512], next[256], id[64];
    const char *address = getenv("AWS_LAMBDA_RUNTIME_API");
    if (address == NULL || count != 1)
        return 1;
    printf("started as %s\n", arguments[0]);
    fflush(stdout);
    int server = connected(address);
    snprintf(next, sizeof next, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", address);
    for (size_t bytes;;) {
        send_all(server, next, strlen(next));
        char *event = answer(server, text, &bytes);
        char *named = strcasestr(text, "Lambda-Runtime-Aws-Request-Id:");
        if (named == NULL || sscanf(strchr(named, ':') + 1, " %63[0-9a-f-]", id) != 1)
            return 6;
        snprintf(head, sizeof head,
                 "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n",
                 id, address, bytes);
        send_all(server, head, strlen(head));
        send_all(server, event, bytes);
        answer(server, text, &bytes);
    }
}
