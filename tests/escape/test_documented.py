"""How the promises in writing are read."""

from tests.escape.__main__ import USERS
from tests.escape.catalogue import ALL
from tests.escape.documented import PAGE, allowed_system_calls, open_by_the_docs, system_call_numbers


def test_the_list_of_system_calls_is_read_from_the_launchers_header(tmp_path):
    assert allowed_system_calls(tmp_path) is None
    (tmp_path / "system_calls.h").write_text(
        "/* CALL: x */ CALL(read) CALL(no_such_call)\nNEW(mseal, 462) CALL(write)\n"
    )
    (tmp_path / "seccomp.c").write_text("pass_with(__NR_socket, 0);")
    numbers = system_call_numbers()
    told = allowed_system_calls(tmp_path)
    assert told is not None
    assert {*told} - {335, 336} == {numbers["read"], numbers["write"], numbers["socket"], 462}


def test_every_kind_of_user_has_a_row_and_every_probe_in_it_exists():
    for user in ("root", *USERS):
        rows = [row for grade in ("none", "basic", "strong") if (row := open_by_the_docs(grade, user)) is not None]
        assert rows, user
        assert set().union(*rows) <= {probe.name for probe in ALL}
    assert open_by_the_docs("basic", "nobody") is None
    assert PAGE.is_file()
