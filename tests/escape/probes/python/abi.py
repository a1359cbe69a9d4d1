"""P23-P24: the kernel's other doors, and every system call that answers."""

import ctypes
import mmap
import os
import signal
import time

from .attempts import Attempts, probe
from .kernel_calls import IS_X86, NEWUSER, call_number

MOST_NUMBER = 1023
_WRONG = ctypes.c_long(-1)
# On a machine without a sandbox these would really do something, arguments or not: hang up, sync.
HARMFUL_BARE = {153, 162} if IS_X86 else {58, 81}
ENDS_THE_PROCESS = {60, 231} if IS_X86 else {93, 94}
_PATIENCE_SECONDS = 0.5


@probe("P23")
def call_through_other_abis(a: Attempts) -> None:
    if not IS_X86:
        a.tell("32-bit ARM code", False, "a 64-bit process can't switch")
        return
    a.attempt("i386 getpid", lambda: _answered(_by_interrupt(20)), lambda number: number == os.getpid())
    a.attempt("i386 unshare of a user namespace", lambda: _answered(_by_interrupt(310, NEWUSER)))
    a.attempt("i386 keyctl", lambda: _answered(_by_interrupt(288, 0, -2, 1)))
    a.attempt("x32 getpid", lambda: call_number(0x40000000 | 39))
    a.attempt("x32 unshare of a user namespace", lambda: call_number(0x40000000 | 272, NEWUSER))


def _answered(result: int) -> int:
    if -4096 < result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def _by_interrupt(number: int, *arguments: int) -> int:
    """int 0x80 from a page of machine code: push rbx; mov eax, edi; mov ebx, esi; xchg edx, ecx; int 0x80; pop rbx."""
    code = bytes.fromhex("53 89f8 89f3 87d1 cd80 5b c3")
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    enter = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * 4)(address)
    padded = (*arguments, 0, 0, 0)
    return int(enter(number, *padded[:3]))


@probe("P24")
def sweep_all_system_calls(a: Attempts) -> None:
    allowed = a.targets["allowed_system_calls"]
    skipped = HARMFUL_BARE if a.targets["is_bare"] else set()
    outcomes = _sweep([number for number in range(MOST_NUMBER + 1) if number not in skipped])
    let_through = sorted(number for number, outcome in outcomes.items() if outcome == "through")
    if allowed is None:
        a.tell("sweep of 0..1023", True, f"{len(let_through)} answer; no list is documented")
        return
    beyond = sorted(set(let_through) - set(allowed))
    a.tell("calls beyond the list", bool(beyond), f"{beyond} of {len(let_through)}")


def _sweep(numbers: list[int]) -> dict[int, str]:
    """`refused` by EPERM or ENOSYS or a signal; `through` otherwise: an answer, another error, or no return."""
    outcomes = {}
    for number in numbers:
        child = os.fork()
        if child == 0:
            _call_wrongly(number)
        outcomes[number] = _outcome(child, number)
    return outcomes


def _call_wrongly(number: int) -> None:
    os.setpgid(0, 0)
    signal.alarm(2)
    try:
        call_number(number, -1, -1, -1, -1, -1, -1)
    except OSError as error:
        os._exit(error.errno if error.errno in (1, 38) else 100)
    os._exit(101)


def _outcome(child: int, number: int) -> str:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.0005)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "through"
    if os.WIFSIGNALED(status):
        return "refused" if os.WTERMSIG(status) == signal.SIGSYS else "through"
    return "refused" if os.WEXITSTATUS(status) in (1, 38) and number not in ENDS_THE_PROCESS else "through"
