/* The sandbox's own network: the loopback device and the listening sockets that the server answers on. */
#include "launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* 169.254.100.1, where functions send their traces (AWS_XRAY_DAEMON_ADDRESS). It is an address of the sandbox itself:
 * with nobody there, X-Ray's SDKs send into the void, as they may; without a route they would report each failure. */
#define TRACES_ADDRESS 0xa9fe6401UL

static int set_loopback(int descriptor, unsigned long what, in_addr_t value)
{
    struct ifreq request = {.ifr_name = "lo:0"};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(value)}};
    memcpy(&request.ifr_addr, &address, sizeof address);
    return ioctl(descriptor, what, &request);
}

int raise_loopback(struct launch *launch)
{
    (void)launch;
    struct ifreq request = {.ifr_name = "lo"};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    int result = ioctl(descriptor, SIOCGIFFLAGS, &request);
    if (result == 0) {
        request.ifr_flags |= IFF_UP | IFF_RUNNING;
        result = ioctl(descriptor, SIOCSIFFLAGS, &request);
    }
    if (result == 0)
        result = set_loopback(descriptor, SIOCSIFADDR, TRACES_ADDRESS);
    if (result == 0) /* else all of 169.254.0.0/16 would be the sandbox's own */
        result = set_loopback(descriptor, SIOCSIFNETMASK, INADDR_BROADCAST);
    close(descriptor);
    return result;
}

static int listen_on(unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 128) == 0)
        return listener;
    int error = errno;
    close(listener);
    errno = error;
    return -1;
}

/* Who gets a socket made here listens inside this sandbox, wherever it is itself. */
int open_listeners(struct launch *launch)
{
    static const unsigned short ports[LISTENER_COUNT] = {RUNTIME_API_PORT, GATEWAY_PORT};
    for (int i = 0; i < LISTENER_COUNT; i++)
        if ((launch->listeners[i] = listen_on(ports[i])) < 0)
            return -1;
    return 0;
}

/* The server has them now; here nobody would answer. */
void close_listeners(struct launch *launch)
{
    for (int i = 0; i < LISTENER_COUNT; i++)
        close(launch->listeners[i]);
}
