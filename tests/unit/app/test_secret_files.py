"""Of files that hold secrets, the start tells those that others can read."""

from pathlib import Path

import pytest

from lampion.app.secret_files import open_secret_files
from lampion.config import settings_from

KEYED = '[services.sqs]\nendpoint = "http://a"\naccess_key_id = "T"\nsecret_access_key = "S"\n'


def test_a_configuration_that_others_can_read_is_told_only_when_it_holds_a_key(tmp_path: Path) -> None:
    path = tmp_path / "lampion.toml"
    path.write_text(KEYED)
    for mode, is_told in ((0o600, False), (0o640, True), (0o604, True), (0o602, True)):
        path.chmod(mode)
        assert open_secret_files(settings_from({"config": str(path)}, {})) == ([path] if is_told else [])
    path.write_text("")
    assert open_secret_files(settings_from({"config": str(path)}, {})) == []


@pytest.mark.parametrize("setting", ["tls_key", "image_logins"])
def test_keys_and_logins_are_told(tmp_path: Path, setting: str) -> None:
    path, certificate = tmp_path / "secret", tmp_path / "certificate"
    path.write_text("{}")
    path.chmod(0o644)
    given = {setting: str(path), **({"tls_certificate": str(certificate)} if setting == "tls_key" else {})}
    configured = settings_from(given, {})
    assert open_secret_files(configured) == [path]
    path.chmod(0o400)
    assert open_secret_files(configured) == []
    path.unlink()
    assert open_secret_files(configured) == []
