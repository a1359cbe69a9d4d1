"""Which files of /opt are extensions, and which of a function's variables they get."""

from pathlib import Path

import pytest

from lampion.environments.extension_files import extension_programs, extension_variables
from lampion.environments.extensions import TooManyExtensions


def test_every_file_counts_in_the_order_of_names_and_no_directory_does(tmp_path: Path) -> None:
    directory = tmp_path / "extensions"
    directory.mkdir()
    for name in ("b", "a", "C", ".hidden"):
        (directory / name).write_text("")
    (directory / "parts").mkdir()
    (directory / "link").symlink_to("parts")
    assert extension_programs(tmp_path) == tuple(
        f"/opt/extensions/{name}" for name in (".hidden", "C", "a", "b", "link")
    )


def test_a_tree_without_any_has_none(tmp_path: Path) -> None:
    assert extension_programs(tmp_path) == ()
    (tmp_path / "file").write_text("")
    assert extension_programs(tmp_path / "file") == ()


def test_there_may_be_ten_and_no_more(tmp_path: Path) -> None:
    for name in ("ten", "eleven"):
        (tmp_path / name / "extensions").mkdir(parents=True)
        for number in range(10 + (name == "eleven")):
            (tmp_path / name / "extensions" / f"e{number:02}").write_text("")
    assert len(extension_programs(tmp_path / "ten")) == 10
    with pytest.raises(TooManyExtensions) as caught:
        extension_programs(tmp_path / "eleven")
    assert caught.value.names == tuple(f"e{number:02}" for number in range(11))


def test_what_is_the_runtime_s_alone_is_withheld() -> None:
    shared = {"MINE": "1", "PATH": "/bin", "AWS_REGION": "r", "AWS_SESSION_TOKEN": "t", "AWS_LAMBDA_FUNCTION_NAME": "f"}
    withheld = ["_HANDLER", "_X", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"]
    withheld += ["AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"]
    withheld += ["_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "PWD"]
    assert extension_variables({**shared, **dict.fromkeys(withheld, "x")}) == shared
