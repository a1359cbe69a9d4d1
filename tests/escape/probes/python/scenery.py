"""Not probes: what stands beside them. A sandbox that holds a secret, and one that left something behind."""

import ctypes
import os
import signal
import socket
import time

from .attempts import Attempts, probe
from .kernel_calls import call


@probe("sibling")
def hold_a_secret(a: Attempts) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    secret = os.environ["SECRET"].encode()
    with open(a.targets["sibling_file"], "wb") as file:
        file.write(secret)
    by_name, by_port = socket.socket(socket.AF_UNIX), socket.socket()
    by_name.bind("\0" + a.targets["sibling_abstract"])
    # In the control run the siblings of all languages have one address, and the kernel remembers its connections.
    by_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    by_port.bind(("127.0.0.1", a.targets["sibling_port"]))
    for listener in (by_name, by_port):
        listener.listen()
        if os.fork() == 0:
            while True:
                taken, _ = listener.accept()
                taken.sendall(secret)
                taken.close()
    os.write(1, b"ready\n")
    time.sleep(3600)


@probe("previous")
def leave_something(a: Attempts) -> None:
    secret = os.environ["SECRET"].encode()
    for path in ("/tmp/left-behind", "/dev/shm/left-behind"):
        with open(path, "wb") as file:
            file.write(secret)
    segment = call("shmget", a.targets["shared_memory_key"], 4096, 0o1666)
    library = ctypes.CDLL(None)
    library.shmat.restype = ctypes.c_void_p
    ctypes.memmove(library.shmat(segment, None, 0), secret, len(secret))
    call("mq_open", a.targets["queue"], os.O_RDWR | os.O_CREAT, 0o666, None)
