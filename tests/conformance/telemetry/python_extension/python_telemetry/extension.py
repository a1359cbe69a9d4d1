"""Registers, listens, subscribes, and takes its part in every invocation until the environment ends."""

import sys
import time
from queue import Empty, Queue

from . import api, listener


def drain(queue: "Queue[str]") -> None:
    while True:
        try:
            batch = queue.get_nowait()
        except Empty:
            return
        print("BATCH", batch, flush=True)


def main(name: str) -> None:
    identifier = api.register(name)
    queue: Queue[str] = Queue()
    uri = listener.start(queue.put)
    print("SUBSCRIBED", *api.subscribe(identifier, uri), flush=True)
    while True:
        event = api.next_event(identifier)
        if event["eventType"] == "SHUTDOWN":
            time.sleep(1)  # for what is still to come
            drain(queue)
            print("SHUTDOWN", event["shutdownReason"], flush=True)
            sys.exit(0)
        drain(queue)


if __name__ == "__main__":
    main(sys.argv[1])
