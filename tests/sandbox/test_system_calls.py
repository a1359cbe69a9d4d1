"""What a function may ask of the kernel: the list in launcher/system_calls.h, and how all else is refused."""

import errno
import json
import re

import pytest

from lampion.sandbox.launcher.build import SOURCES
from tests.sandbox.boxes import output_of

ASK = """
import ctypes, errno, json, os, platform, socket
libc = ctypes.CDLL(None, use_errno=True)
def ask(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    return ctypes.get_errno() if result == -1 else 0
is_x86 = platform.machine() == 'x86_64'
"""


async def told(namespace, expression: str):
    return json.loads(await output_of(namespace, f"{ASK}\nprint(json.dumps({expression}))"))


async def test_the_filter_holds_for_the_function_and_for_process_1(namespace):
    code = "[open(f'/proc/{pid}/status').read().split('Seccomp:')[1].split()[0] for pid in ('self', 1)]"
    assert await told(namespace, code) == ["2", "2"]


# The numbers of unistd.h: x86-64, arm64 (from 424 on they are the same).
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("unshare", "ask(272 if is_x86 else 97, 0x10000000)"),
        ("setns", "ask(308 if is_x86 else 268, -1, 0)"),
        ("mount", "ask(165 if is_x86 else 40, b'x', b'/tmp', b'tmpfs', 0, None)"),
        ("move_mount", "ask(429, -1, b'', -1, b'', 0)"),
        ("open_tree", "ask(428, -100, b'/', 1)"),
        ("mount_setattr", "ask(442, -100, b'/', 0, None, 0)"),
        ("pivot_root", "ask(155 if is_x86 else 41, b'/', b'/')"),
        ("open_by_handle_at", "ask(304 if is_x86 else 265, -100, None, 0)"),
        ("ptrace", "ask(101 if is_x86 else 117, 0, 0, 0, 0)"),
        ("process_vm_readv", "ask(310 if is_x86 else 270, 1, None, 0, None, 0, 0)"),
        ("pidfd_getfd", "ask(438, -1, 0, 0)"),
        ("bpf", "ask(321 if is_x86 else 280, 0, None, 0)"),
        ("perf_event_open", "ask(298 if is_x86 else 241, None, 0, -1, -1, 0)"),
        ("userfaultfd", "ask(323 if is_x86 else 282, 0)"),
        ("io_uring_setup", "ask(425, 1, None)"),
        ("add_key", "ask(248 if is_x86 else 217, b'user', b'x', b'x', 1, -3)"),
        ("keyctl", "ask(250 if is_x86 else 219, 0, -3)"),
        ("kexec_load", "ask(246 if is_x86 else 104, 0, 0, None, 0)"),
        ("reboot", "ask(169 if is_x86 else 142, 0, 0, 0)"),
        ("init_module", "ask(175 if is_x86 else 105, None, 0, b'')"),
        ("sethostname", "ask(170 if is_x86 else 161, b'x', 1)"),
        ("settimeofday", "ask(164 if is_x86 else 170, None, None)"),
        ("swapon", "ask(167 if is_x86 else 224, b'/x', 0)"),
        ("seccomp", "ask(317 if is_x86 else 277, 1, 0, None)"),
        ("prctl(PR_SET_SECCOMP)", "ask(157 if is_x86 else 167, 22, 2, None)"),
        ("clone into a user namespace", "ask(56 if is_x86 else 220, 0x10000011, 0, 0, 0, 0)"),
        ("personality(ADDR_NO_RANDOMIZE)", "ask(135 if is_x86 else 92, 0x0040000)"),
        ("TIOCSTI", "ask(16 if is_x86 else 29, 0, 0x5412, b'x')"),
        ("TIOCSTI with a high half", "ask(16 if is_x86 else 29, 0, 0x100005412, b'x')"),
    ],
)
async def test_what_no_function_needs_is_forbidden(namespace, name, call):
    assert await told(namespace, call) == errno.EPERM, name


async def test_what_is_unknown_or_has_an_older_form_looks_as_if_the_kernel_lacked_it(namespace):
    assert await told(namespace, "[ask(435, None, 0), ask(467), ask(1000), ask(1 << 30)]") == [errno.ENOSYS] * 4


async def test_other_numberings_of_calls_are_no_way_around(namespace):
    """x32 is a bit in the number; i386 calls (here 20, getpid) go through an interrupt."""
    code = f"""{ASK}
import mmap
if not is_x86:
    print('[38, -38]')
else:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex('b814000000' 'cd80' 'c3'))
    getpid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    print([ask(0x40000000 + 39), getpid()])"""
    assert json.loads(await output_of(namespace, code)) == [errno.ENOSYS, -errno.ENOSYS]


async def test_sockets_of_other_families_do_not_exist(namespace):
    code = """[family for family in range(64)
               if not ask(41 if is_x86 else 198, family, 2, 0) or not ask(41 if is_x86 else 198, family, 3, 0)]"""
    assert await told(namespace, code) == [1, 2, 10]


async def test_flushing_the_whole_machine_succeeds_and_does_nothing(namespace):
    assert await told(namespace, "[ask(162 if is_x86 else 81), ask(306 if is_x86 else 267, -1)]") == [0, 0]


async def test_programs_find_what_they_need(namespace):
    code = """if True:
        import asyncio, concurrent.futures, multiprocessing, os, socket, sqlite3, subprocess, tempfile, threading
        async def child():
            process = await asyncio.create_subprocess_exec('/bin/echo', 'hello', stdout=subprocess.PIPE)
            return (await process.communicate())[0]
        print(asyncio.run(child()))
        with concurrent.futures.ThreadPoolExecutor(4) as pool: print(sum(pool.map(abs, range(-9, 0))))
        lock = multiprocessing.get_context('fork').Lock()
        with lock, tempfile.TemporaryDirectory() as directory:
            os.rename(tempfile.mkdtemp(dir=directory), directory + '/moved')
            os.mkfifo(directory + '/fifo')
            sqlite3.connect(directory + '/db').execute('create table t (x)')
            os.link(directory + '/db', directory + '/moved/linked')
        print(subprocess.run(['/bin/sh', '-c', 'ls / | wc -l'], capture_output=True).stdout.strip().isdigit())
        server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname())
        listener = socket.socket(socket.AF_UNIX); listener.bind(chr(0) + 'own'); listener.listen()
        socket.socket(socket.AF_UNIX).connect(chr(0) + 'own')
        os.kill(os.getpid(), 0); print('done')"""
    assert await output_of(namespace, code) == "b'hello\\n'\n45\nTrue\ndone\n"


def test_no_call_stands_twice_in_the_list():
    text = (SOURCES / "system_calls.h").read_text()
    names = re.findall(r"\b(?:CALL|NEW)\((\w+)", text.partition("/* Files */")[2].partition("#elif")[0])
    assert len(names) > 250
    assert len(names) == len(set(names))
