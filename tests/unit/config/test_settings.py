"""Settings: where a value comes from, what it may be, and how a wrong one is refused."""

import base64
from pathlib import Path

import pytest

from lampion.config import options, settings_from
from lampion.config.master_key import KmsKey
from lampion.config.memory import environments_for_memory, memory_bytes
from lampion.config.problem import SettingError
from lampion.config.values import AuthMode, FunctionAccess, ListenAddress, NetworkChoice, PrivateNetworks, SandboxChoice

GIB = 1 << 30


def test_defaults() -> None:
    settings = settings_from({}, {})
    assert settings.listen == ListenAddress("127.0.0.1", 9000)
    assert settings.data == Path("~/.local/share/lampion").expanduser()
    assert (settings.account_id, settings.region) == ("123456789012", "us-east-1")
    assert (settings.auth, settings.sandbox) == (AuthMode.SIGNED, SandboxChoice.AUTO)
    assert (settings.concurrency_limit, settings.idle_seconds, settings.cgroup_parent) == (1000, 600, "lampion")
    assert dict(settings.interpreter) == {}
    assert settings.max_environments == environments_for_memory(memory_bytes())
    assert settings.log_segment_bytes < settings.log_group_bytes


def test_the_command_line_wins_over_the_variable_and_the_variable_over_the_default() -> None:
    variables = {"LAMPION_REGION": "eu-west-1", "LAMPION_IDLE_SECONDS": "5"}
    settings = settings_from({"region": "eu-north-1"}, variables)
    assert (settings.region, settings.idle_seconds, settings.account_id) == ("eu-north-1", 5, "123456789012")


def test_what_functions_reach() -> None:
    settings = settings_from({}, {})
    assert (settings.network, settings.private_networks) == (NetworkChoice.GATEWAY, PrivateNetworks.DENY)
    assert (settings.function_access, settings.dns_server) == (FunctionAccess.NONE, ())
    assert dict(settings.subnet_route) == {}
    given = {
        "subnet_route": "subnet-1=10.0.0.0/16,subnet-2=192.0.2.0/24,subnet-1=10.1.0.0/16",
        "dns_server": "192.0.2.53,192.0.2.54",
        "network": "egress",
    }
    settings = settings_from(given, {})
    assert dict(settings.subnet_route) == {"subnet-1": ("10.0.0.0/16", "10.1.0.0/16"), "subnet-2": ("192.0.2.0/24",)}
    assert [str(server) for server in settings.dns_server] == ["192.0.2.53", "192.0.2.54"]
    assert settings.network is NetworkChoice.EGRESS


def test_every_option_has_a_flag_a_variable_and_help() -> None:
    assert {option.name: (option.flag, option.variable) for option in options()}["cgroup_parent"] == (
        "--cgroup-parent",
        "LAMPION_CGROUP_PARENT",
    )
    for option in options():
        assert option.help.endswith("."), option.name


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_DATA_HOME": "/srv/share"}, Path("/srv/share/lampion")),
        ({"XDG_DATA_HOME": "relative/is/ignored"}, Path("~/.local/share/lampion").expanduser()),
        ({"XDG_DATA_HOME": "/srv/share", "LAMPION_DATA": "/srv/data"}, Path("/srv/data")),
        ({"LAMPION_DATA": "here"}, Path.cwd() / "here"),
    ],
)
def test_the_data_directory(variables: dict[str, str], expected: Path) -> None:
    assert settings_from({}, variables).data == expected


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0, True),
        ("127.3.2.1:9000", "127.3.2.1", 9000, True),
        ("localhost:65535", "localhost", 65_535, True),
        ("[::1]:9000", "::1", 9000, True),
        ("0.0.0.0:9000", "0.0.0.0", 9000, False),
        ("[::]:9000", "::", 9000, False),
        ("lamps.example:80", "lamps.example", 80, False),
    ],
)
def test_listening_addresses(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = settings_from({"listen": text}, {}).listen
    assert (address.host, address.port, address.is_loopback) == (host, port, is_loopback)
    assert str(address) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("listen", "9000"),
        ("listen", ":9000"),
        ("listen", "host:"),
        ("listen", "host:65536"),
        ("listen", "::1:9000"),
        ("listen", "a b:1"),
        ("data", ""),
        ("data", "a\0b"),
        ("account_id", "12345678901"),
        ("account_id", "12345678901x"),
        ("region", "mars"),
        ("auth", "none"),
        ("sandbox", "docker"),
        ("close_runtimes", "maybe"),
        ("oci_runtime", ""),
        ("oci_runtime", "bin/runc"),
        ("oci_runtime", "runc 'half"),
        ("oci_runtime", "runc\0"),
        ("cgroup_parent", "../up"),
        ("cgroup_parent", "a/b"),
        ("cgroup_parent", ".."),
        ("cgroup_parent", ""),
        ("network", "internet"),
        ("private_networks", "yes"),
        ("function_access", "some"),
        ("dns_server", "::1"),
        ("dns_server", "127.0.0.1," * 2 + "x"),
        ("subnet_route", "subnet-1"),
        ("subnet_route", "vpc-1=10.0.0.0/8"),
        ("subnet_route", "subnet-1=10.0.0.1/8"),
        ("subnet_route", "subnet-1=::/0"),
        ("interpreter", "python3.13"),
        ("interpreter", "python3.13=relative"),
        ("interpreter", "=/usr/bin/python3"),
        ("concurrency_limit", "0"),
        ("concurrency_limit", "-1"),
        ("concurrency_limit", "1e3"),
        ("concurrency_limit", "99999999999999999999"),
        ("idle_seconds", "0"),
        ("idle_seconds", "1.5"),
        ("max_environments", "many"),
        ("log_group_bytes", "10 apples"),
        ("log_group_bytes", "1"),
        ("log_segment_bytes", "1GiB"),
        ("tls_certificate", "server.pem"),
        ("tls_key", "server.key"),
        ("tls_key", "a\0b"),
    ],
)
def test_a_wrong_value_names_option_value_and_remedy(name: str, text: str) -> None:
    with pytest.raises(SettingError) as refusal:
        settings_from({name: text}, {})
    flag = "--" + name.replace("_", "-")
    assert refusal.value.source == flag
    assert refusal.value.problem
    assert refusal.value.fix.endswith(".")
    assert str(refusal.value).startswith(flag)


def test_a_certificate_and_its_key_make_the_scheme_https() -> None:
    assert settings_from({}, {}).scheme == "http"
    settings = settings_from({"tls_certificate": "/c.pem", "tls_key": "k.pem"}, {})
    assert (settings.scheme, settings.tls_certificate, settings.tls_key) == (
        *("https", Path("/c.pem")),
        Path.cwd() / "k.pem",
    )


def test_a_wrong_variable_is_named_as_the_variable() -> None:
    with pytest.raises(SettingError, match=r"LAMPION_REGION 'mars'"):
        settings_from({}, {"LAMPION_REGION": "mars"})


@pytest.mark.parametrize("listen", ["0.0.0.0:9000", "[::]:0", "192.0.2.7:9000", "lamps.example:9000"])
def test_open_access_is_refused_beyond_loopback(listen: str) -> None:
    with pytest.raises(SettingError, match="would let anyone who reaches"):
        settings_from({"auth": "open", "listen": listen}, {})


@pytest.mark.parametrize("listen", ["127.0.0.1:9000", "[::1]:9000", "localhost:9000"])
def test_open_access_is_allowed_on_loopback(listen: str) -> None:
    assert settings_from({"auth": "open", "listen": listen}, {}).auth is AuthMode.OPEN


def test_a_runtime_is_given_with_its_options() -> None:
    given = settings_from({"sandbox": "oci", "oci_runtime": "/opt/runsc --network=host '--root=/a b'"}, {})
    assert given.oci_runtime == ("/opt/runsc", "--network=host", "--root=/a b")
    assert settings_from({}, {}).oci_runtime == ("crun",)


@pytest.mark.parametrize("more", [{"network": "egress"}, {"subnet_route": "subnet-1=10.0.0.0/16"}])
def test_containers_have_no_network_beyond_the_server(more: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="no network beyond this server"):
        settings_from({"sandbox": "oci", **more}, {})
    assert settings_from({"sandbox": "namespace", **more}, {}).sandbox is SandboxChoice.NAMESPACE


def test_interpreters_are_given_one_by_one_or_together() -> None:
    text = "python3.13=/usr/bin/python3.13,python3.11=/opt/py/bin/python3"
    assert dict(settings_from({"interpreter": text}, {}).interpreter) == {
        "python3.13": Path("/usr/bin/python3.13"),
        "python3.11": Path("/opt/py/bin/python3"),
    }


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        (
            "pyhton3.13",
            "names 'pyhton3.13', which is no runtime. Did you mean python3.13? `lampion runtimes` lists",
        ),
        ("arm64/nodejs22", "names 'nodejs22', which is no runtime. Did you mean nodejs22.x? `lampion runtimes` lists"),
        ("python3.7", "names 'python3.7', which Lampion doesn't run. `lampion runtimes` lists all."),
        (
            "provided.al2023",
            "names 'provided.al2023', whose functions bring their own program. `lampion runtimes`",
        ),
        ("perl", "names 'perl', which is no runtime. `lampion runtimes` lists all."),
    ],
)
def test_an_interpreter_of_no_runtime_is_refused_wherever_it_is_named(runtime: str, said: str, tmp_path: Path) -> None:
    pair = f"{runtime}=/usr/bin/x"
    file = tmp_path / "lampion.toml"
    file.write_text(f'interpreter = ["{pair}"]\n')
    for given, environ, source in (
        ({"interpreter": pair}, {}, "--interpreter"),
        ({}, {"LAMPION_INTERPRETER": pair}, "LAMPION_INTERPRETER"),
        ({"config": str(file)}, {}, "interpreter in the configuration file"),
    ):
        with pytest.raises(SettingError) as caught:
            settings_from(given, environ)
        assert str(caught.value).startswith(f"{source} {pair!r}: {said}")


@pytest.mark.parametrize(
    ("text", "size"),
    [("65536", 65_536), ("64KiB", 65_536), ("64 kib", 65_536), ("3MiB", 3 << 20), ("2GiB", 2 << 30), ("1TiB", 1 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert settings_from({"log_group_bytes": text, "log_segment_bytes": "64KiB"}, {}).log_group_bytes == size


@pytest.mark.parametrize(
    ("total_bytes", "environments"), [(0, 4), (GIB // 2, 4), (8 * GIB, 51), (24 * GIB, 153), (1024 * GIB, 1000)]
)
def test_environments_follow_the_memory_within_bounds(total_bytes: int, environments: int) -> None:
    assert environments_for_memory(total_bytes) == environments


def test_the_master_key_lies_beside_the_data_or_where_it_is_told() -> None:
    assert settings_from({"data": "/a/b"}, {}).master_key_file == Path("/a/b.master-key")
    assert settings_from({"data": "/a/b/c/.."}, {}).master_key_file == Path("/a/b.master-key")
    assert settings_from({"data": "/a/b", "master_key": "/c/d"}, {}).master_key_file == Path("/c/d")
    assert settings_from({"data": "/a/b"}, {"LAMPION_MASTER_KEY_FILE": "/e"}).master_key_file == Path("/e")


def test_the_master_key_may_be_with_another_kms() -> None:
    arn = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234"
    by_arn = settings_from({"master_key": f"kms:{arn}"}, {}).master_key
    assert isinstance(by_arn, KmsKey)
    assert by_arn == KmsKey(arn)
    assert by_arn.arn_parts == ("aws-cn", "cn-north-1")
    by_alias = settings_from({}, {"LAMPION_MASTER_KEY_FILE": "kms:alias/lampion"}).master_key
    assert isinstance(by_alias, KmsKey)
    assert (str(by_alias), by_alias.arn_parts) == ("kms:alias/lampion", None)
    assert settings_from({"master_key": "file:/c/d"}, {}).master_key_file == Path("/c/d")


@pytest.mark.parametrize("text", ["kms:", "kms:a b", "kms:a\nb", f"kms:{'a' * 2049}"])
def test_what_is_no_key_of_kms_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="names no key of KMS"):
        settings_from({"master_key": text}, {})


def test_the_master_key_is_in_one_place_alone() -> None:
    with pytest.raises(SettingError, match="can't be together with LAMPION_MASTER_KEY"):
        settings_from({"master_key": "kms:alias/x"}, {"LAMPION_MASTER_KEY": base64.b64encode(b"k" * 32).decode()})


@pytest.mark.parametrize("file", ["/a/b/key", "/a/b/c/../key", "/a/x/../b/key"])
def test_a_master_key_among_the_data_is_refused(file: str) -> None:
    with pytest.raises(SettingError, match="would lie beside what it protects"):
        settings_from({"data": "/a/b", "master_key": file}, {})
    with pytest.raises(SettingError, match="would lie beside what it protects"):
        settings_from({"data": "/"}, {})


def test_a_master_key_in_a_variable_is_taken_and_never_shown() -> None:
    key = base64.b64encode(b"k" * 32).decode()
    settings = settings_from({}, {"LAMPION_MASTER_KEY": key})
    assert settings.given_master_key == b"k" * 32
    assert not any(one in repr(settings) for one in (key, "kkkk"))
    assert settings_from({}, {}).given_master_key is None


@pytest.mark.parametrize("text", ["", "nonsense", base64.b64encode(b"k" * 31).decode(), "k" * 32, "\u00e9" * 44])
def test_what_is_no_master_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings_from({}, {"LAMPION_MASTER_KEY": text})
    assert caught.value.source == "LAMPION_MASTER_KEY"
    assert text == "" or not any(text in str(one) for one in vars(caught.value).values())
