"""The configuration file: settings by name, a table per service, and refusals that name the place."""

from pathlib import Path

import pytest

from lampion.config import settings_from
from lampion.config.problem import SettingError


def written(directory: Path, text: str) -> str:
    path = directory / "lampion.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_settings_come_from_options_then_variables_then_the_file_then_defaults(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'region = "eu-west-1"\nidle_seconds = 7\naccount_id = "111111111111"\n'
        'interpreter = ["python3.13=/usr/bin/a", "python3.12=/usr/bin/b"]\n',
    )
    given = {"config": file, "region": "eu-north-1"}
    settings = settings_from(given, {"LAMPION_IDLE_SECONDS": "8"})
    assert (settings.region, settings.idle_seconds, settings.account_id) == ("eu-north-1", 8, "111111111111")
    assert settings.interpreter == {"python3.13": Path("/usr/bin/a"), "python3.12": Path("/usr/bin/b")}
    assert settings.concurrency_limit == 1000
    assert settings.config == Path(file)
    assert settings_from({}, {"LAMPION_CONFIG": file}).region == "eu-west-1"
    assert settings_from({}, {}).config is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("region = ", "is not TOML"),
        ('reigon = "eu-west-1"', "sets 'reigon', which is no setting"),
        ('config = "other.toml"', "sets 'config', which is no setting"),
        ('endpoints = "x"', "sets 'endpoints', which is no setting"),
        ("[sqs]\n", "sets 'sqs', which is no setting"),
        ("idle_seconds = 1.5", "has a value of the wrong kind for 'idle_seconds'"),
        ("idle_seconds = true", "has a value of the wrong kind for 'idle_seconds'"),
        ("dns_server = [1]", "has a value of the wrong kind for 'dns_server'"),
        ("services = 1", "has services that are no table"),
        ("file_systems = 1", "has file_systems that are no table"),
        ("caf\xe9", "is not TOML"),
    ],
)
def test_a_file_that_cant_be_used_is_named_with_the_reason(tmp_path: Path, text: str, problem: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingError) as refusal:
        settings_from({"config": file}, {})
    assert (refusal.value.source, refusal.value.value) == ("--config", file)
    assert refusal.value.problem.startswith(problem)
    assert refusal.value.fix.endswith(".")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff")])
def test_a_file_that_cant_be_read(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "lampion.toml")
    with pytest.raises(SettingError, match=r"can't be read|is not text"):
        settings_from({"config": str(tmp_path / "lampion.toml")}, {})
    with pytest.raises(SettingError, match="names no file"):
        settings_from({"config": "a\0b"}, {})


def test_a_wrong_value_in_the_file_names_setting_and_file(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^region in the configuration file 'mars': is not an AWS region"):
        settings_from({"config": written(tmp_path, 'region = "mars"')}, {})


@pytest.mark.parametrize(("value", "is_on"), [("true", True), ("false", False), ('"yes"', True), ('"no"', False)])
def test_a_switch_is_true_or_false(tmp_path: Path, value: str, is_on: bool) -> None:
    file = tmp_path / "lampion.toml"
    file.write_text(f"close_runtimes = {value}\n")
    assert settings_from({"config": str(file)}, {}).close_runtimes is is_on
    assert settings_from({"config": str(file)}, {"LAMPION_CLOSE_RUNTIMES": "no"}).close_runtimes is False
