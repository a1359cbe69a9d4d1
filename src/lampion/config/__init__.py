"""Every setting of the server, each declared once: name, default, help and how its text is read.

The command line's options, the LAMPION_* variables and docs/reference/settings.md derive from `Settings`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampion.config.combinations import check_combinations
from lampion.config.file_systems import access_points_from
from lampion.config.interpreters import parse_interpreters
from lampion.config.master_key import KmsKey, master_key_from, parse_master_key
from lampion.config.memory import (
    ENVIRONMENTS_MAX,
    ENVIRONMENTS_MIN,
    MEMORY_SHARE,
    environments_for_memory,
    memory_bytes,
)
from lampion.config.option import Option, setting
from lampion.config.problem import SettingError
from lampion.config.services import ServiceProblem, endpoints_from
from lampion.config.texts import config_file, read_option
from lampion.config.values import (
    ArchitecturesChoice,
    AuthMode,
    ClockChoice,
    FunctionAccess,
    ListenAddress,
    NetworkChoice,
    PrivateNetworks,
    SandboxChoice,
    parse_account_id,
    parse_addresses,
    parse_architectures,
    parse_auth,
    parse_cgroup_name,
    parse_clock,
    parse_count,
    parse_directory,
    parse_file,
    parse_function_access,
    parse_listen,
    parse_network,
    parse_private_networks,
    parse_region,
    parse_registries,
    parse_runtime_command,
    parse_sandbox,
    parse_seconds,
    parse_size,
    parse_subnet_routes,
    parse_switch,
)
from lampion.domain.file_system import AccessPoint
from lampion.endpoints.services import Endpoints

if TYPE_CHECKING:
    from ipaddress import IPv4Address


__all__ = ["Option", "SettingError", "Settings", "data_directory_from", "options", "settings_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one server is told; made by `settings_from`, never changed."""

    listen: ListenAddress = field(
        metadata=setting(
            "127.0.0.1:9000",
            parse_listen,
            "HOST:PORT",
            "Address of the AWS API; port 0 picks a free one. Who reaches it and has a key can run code here.",
        )
    )
    data: Path = field(
        metadata=setting(
            "$XDG_DATA_HOME/lampion",
            parse_directory,
            "DIR",
            "Where functions, code, keys and logs are kept; made if missing, readable by its owner only. "
            "Without XDG_DATA_HOME: ~/.local/share/lampion.",
        )
    )
    master_key: Path | KmsKey | None = field(
        metadata=setting(
            "",
            parse_master_key,
            "FILE|kms:KEY",
            "The key that wraps keys of KMS. A file: base64 of 32 bytes, readable by its owner only, made at its first "
            "use; without it, one beside the data directory, of its name with .master-key. kms: a key of another KMS, "
            "by ARN, id or alias, that opens it at each start. LAMPION_MASTER_KEY holds the key itself instead.",
            variable="LAMPION_MASTER_KEY_FILE",
        )
    )
    encrypted_code_directory: Path | None = field(
        metadata=setting(
            "",
            parse_file,
            "DIRECTORY",
            "Where code with a SourceKMSKeyArn is unpacked while environments use it: a file system in memory (tmpfs) "
            "from which programs may be run. Without it: /dev/shm, XDG_RUNTIME_DIR or /run, the first that is one.",
        )
    )
    encrypted_code_bytes: int = field(
        metadata=setting(
            "1GiB", parse_size, "SIZE", "Memory that such code may take, unpacked, all functions together."
        )
    )
    account_id: str = field(
        metadata=setting("123456789012", parse_account_id, "DIGITS", "AWS account id of this server's own functions.")
    )
    region: str = field(metadata=setting("us-east-1", parse_region, "NAME", "AWS region that this server is."))
    tls_certificate: Path | None = field(
        metadata=setting(
            "",
            parse_file,
            "FILE",
            "Serve HTTPS with this certificate (PEM; those that vouch for it after it), of which --tls-key is the key.",
        )
    )
    tls_key: Path | None = field(
        metadata=setting("", parse_file, "FILE", "The key of --tls-certificate (PEM, without a password).")
    )
    auth: AuthMode = field(
        metadata=setting(
            "signed",
            parse_auth,
            "signed|open",
            "signed: every call carries a valid AWS signature. open: nobody is checked; on loopback only, "
            "and a 12-digit access key names the account.",
        )
    )
    sandbox: SandboxChoice = field(
        metadata=setting(
            "auto",
            parse_sandbox,
            "auto|namespace|oci|process",
            "What functions run in. namespace: Linux namespaces and cgroups. oci: containers of --oci-runtime; needs "
            "root. process: no isolation. auto: namespace where this machine offers it, else process.",
        )
    )
    oci_runtime: tuple[str, ...] = field(
        metadata=setting(
            "crun",
            parse_runtime_command,
            "COMMAND",
            "With --sandbox oci: the runtime's name or path, with options if it needs any, such as "
            "'runsc --network=host'.",
        )
    )
    cgroup_parent: str = field(
        metadata=setting("lampion", parse_cgroup_name, "NAME", "Name of the cgroup under which sandboxes get theirs.")
    )
    network: NetworkChoice = field(
        metadata=setting(
            "gateway",
            parse_network,
            "none|gateway|egress",
            "What functions reach. none: nothing. gateway: this server's AWS API. egress: that and the internet, never "
            "this machine; needs root and nftables.",
        )
    )
    private_networks: PrivateNetworks = field(
        metadata=setting(
            "deny",
            parse_private_networks,
            "deny|allow",
            "Whether functions with egress reach private addresses (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "
            "100.64.0.0/10) around this machine.",
        )
    )
    dns_server: "tuple[IPv4Address, ...]" = field(
        metadata=setting(
            "",
            parse_addresses,
            "ADDRESS",
            "Where functions with egress look up names; none given: where this machine does. In the variable, separate "
            "several by commas.",
            repeatable=True,
        )
    )
    subnet_route: Mapping[str, tuple[str, ...]] = field(
        metadata=setting(
            "",
            parse_subnet_routes,
            "SUBNET=NETWORK",
            "What functions whose VpcConfig names a subnet reach beside the AWS API, such as subnet-0abc=10.0.0.0/16; "
            "without any, nothing. In the variable, separate several by commas.",
            repeatable=True,
        )
    )
    function_access: FunctionAccess = field(
        metadata=setting(
            "none",
            parse_function_access,
            "none|all",
            "What functions may do with AWS APIs here beside what policies of their roles allow: nothing, or all that "
            "their account may, and what the keys of the [services.NAME] sqs, sns, eventbridge and dynamodb may.",
        )
    )
    interpreter: Mapping[str, Path] = field(
        metadata=setting(
            "",
            parse_interpreters,
            "RUNTIME=PATH",
            "Program that runs a runtime, such as python3.13=/usr/local/bin/python3.13; "
            "unnamed runtimes are looked for on PATH. With an architecture before it, for functions of that one in an "
            "emulator: arm64/python3.13=PATH. In the variable, separate several by commas.",
            repeatable=True,
        )
    )
    image_registry: Mapping[str, bool] = field(
        metadata=setting(
            "",
            parse_registries,
            "HOST",
            "Registry that functions may name in ImageUri, such as ghcr.io, beside this server's own; needs skopeo. "
            "http://HOST for one without TLS. In the variable, separate several by commas.",
            repeatable=True,
        )
    )
    image_logins: Path | None = field(
        metadata=setting(
            "", parse_file, "FILE", "Logins for those registries, as `skopeo login --authfile FILE HOST` writes them."
        )
    )
    close_runtimes: bool = field(
        metadata=setting(
            "no",
            parse_switch,
            "yes|no",
            "Run functions whose runtime has no interpreter of its version here on the closest version that there is: "
            "the next newer one, else the latest older one.",
        )
    )
    architectures: ArchitecturesChoice = field(
        metadata=setting(
            "auto",
            parse_architectures,
            "auto|exact|any",
            "What runs functions of another architecture than this machine's. exact: an emulator, if there is one. "
            "any: this machine's own interpreters. auto: exact, but on arm64 any, for functions that name no "
            "architecture are for x86_64.",
        )
    )
    concurrency_limit: int = field(
        metadata=setting("1000", parse_count, "COUNT", "Invocations of an account that may run at the same time.")
    )
    idle_seconds: int = field(
        metadata=setting("600", parse_seconds, "SECONDS", "How long an execution environment may wait for work.")
    )
    max_environments: int = field(
        metadata=setting(
            "auto",
            lambda text: environments_for_memory(memory_bytes()) if text == "auto" else parse_count(text),
            "COUNT|auto",
            "Execution environments that may exist at the same time. auto: as many of 128 MiB as fit in "
            f"{MEMORY_SHARE:.0%} of the memory, at least {ENVIRONMENTS_MIN}, at most {ENVIRONMENTS_MAX}.",
        )
    )
    clock: ClockChoice = field(
        metadata=setting(
            "machine",
            parse_clock,
            "machine|adjustable",
            "adjustable: whoever has a key may let time pass at once for retries, ages and schedules, with "
            "`lampion clock advance`. For development only.",
        )
    )
    function_memory_bytes: int = field(
        metadata=setting(
            "auto",
            lambda text: int(memory_bytes() * MEMORY_SHARE) if text == "auto" else parse_size(text),
            "SIZE|auto",
            "Memory that all execution environments together may use: one that works counts with its function's memory "
            f"size, an idle one with what it has used. auto: {MEMORY_SHARE:.0%} of the memory.",
        )
    )
    capacity_wait_seconds: int = field(
        metadata=setting(
            "10",
            parse_seconds,
            "SECONDS",
            "How long an invocation waits for room when this machine has none, before it is throttled.",
        )
    )
    log_group_bytes: int = field(
        metadata=setting("64MiB", parse_size, "SIZE", "Log kept per function; the oldest segments go first.")
    )
    log_segment_bytes: int = field(
        metadata=setting("4MiB", parse_size, "SIZE", "Size at which a log file is closed and the next one begun.")
    )
    log_rate_bytes: int = field(
        metadata=setting(
            "32MiB",
            parse_size,
            "SIZE",
            "How much of one environment's log is read in a second after a burst, each line counted as 256 bytes more. "
            "A function that writes faster waits.",
        )
    )
    log_burst_bytes: int = field(
        metadata=setting("64MiB", parse_size, "SIZE", "How much of one environment's log is read as fast as it comes.")
    )
    config: Path | None = field(
        metadata=setting(
            "",
            parse_file,
            "FILE",
            "TOML file with settings by name, such as log_group_bytes, tables [services.NAME] of the AWS services that "
            "results of event invocations are sent to, and tables [file_systems.ARN] of functions' file systems. "
            "Options and variables win over it.",
        )
    )
    given_master_key: bytes | None = field(default=None, repr=False, metadata={})  # of LAMPION_MASTER_KEY
    endpoints: Endpoints = field(default=Endpoints(), metadata={})  # of [services.NAME] and AWS_*, not of an option
    file_systems: Mapping[str, AccessPoint] = field(default_factory=dict, metadata={})  # of [file_systems.ARN]

    @property
    def master_key_file(self) -> Path:
        """Of no use where `master_key` is a key of KMS."""
        return self.master_key if isinstance(self.master_key, Path) else file_beside(self.data)

    @property
    def scheme(self) -> str:
        """By what clients reach this server."""
        return "http" if self.tls_certificate is None else "https"


def file_beside(data: Path) -> Path:
    """`data` may end in a slash or in dots: its name is what is left without them."""
    return Path(f"{os.path.normpath(data)}.master-key")


def options() -> tuple[Option, ...]:
    """Every setting, in order of declaration."""
    return tuple(Option(name=declared.name, **declared.metadata) for declared in fields(Settings) if declared.metadata)


def data_directory_from(text: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """The data directory of a client command: `text` if given, else the variable, else the default."""
    option = next(option for option in options() if option.name == "data")
    value = read_option(option, text, os.environ if environ is None else environ)
    assert isinstance(value, Path)
    return value


def settings_from(given: Mapping[str, str | None], environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the command line's texts, then LAMPION_* variables, then the file, then defaults.

    Raises SettingError.
    """
    variables = os.environ if environ is None else environ
    file = config_file(options(), given.get("config"), variables)
    values: dict[str, Any] = {
        option.name: read_option(option, given.get(option.name), variables, file.texts) for option in options()
    }
    try:
        values["endpoints"] = endpoints_from(file.services, variables, values["listen"])
    except ServiceProblem as problem:
        raise SettingError(problem.source, problem.value, problem.problem, problem.fix) from None
    values["file_systems"] = access_points_from(file.file_systems)
    values["given_master_key"] = master_key_from(variables)
    settings = Settings(**values)
    check_combinations(settings)
    return settings
