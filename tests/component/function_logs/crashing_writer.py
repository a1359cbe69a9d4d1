"""A process that logs until it is killed, and says on stdout what it knows to be in the files."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from tests.component.function_logs.places import HELLO, open_files


async def main(directory: Path, run: str) -> None:
    async with open_files(directory, segment_bytes=64 * 1024) as logs:
        streams = [logs.open_stream(HELLO, f"{run} {number}") for number in range(5)]
        for number in count():
            streams[number % 5].append(number, f"{run} {number}".encode())
            if number % 7 == 0:
                await logs.flush()
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
