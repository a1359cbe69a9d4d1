/* The sandbox's own network: the loopback device and the Runtime API's listening socket. */
#include "launcher.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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
    close(descriptor);
    return result;
}

int open_listener(struct launch *launch)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(RUNTIME_API_PORT)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    launch->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (launch->listener < 0)
        return -1;
    if (bind(launch->listener, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return listen(launch->listener, 128);
}
