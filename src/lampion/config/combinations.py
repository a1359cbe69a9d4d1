"""Settings that are right each for itself, and wrong together."""

from typing import TYPE_CHECKING

from lampion.config.master_key import VARIABLE, KmsKey
from lampion.config.problem import SettingError
from lampion.config.values import AuthMode, NetworkChoice, SandboxChoice

if TYPE_CHECKING:
    from lampion.config import Settings


def check_combinations(settings: "Settings") -> None:
    """Raises SettingError."""
    _refuse_open_beyond_loopback(settings)
    _refuse_segment_over_group(settings)
    _refuse_network_of_containers(settings)
    _refuse_half_of_tls(settings)
    _refuse_master_key_among_data(settings)


def _refuse_open_beyond_loopback(settings: "Settings") -> None:
    if settings.auth is AuthMode.OPEN and not settings.listen.is_loopback:
        raise SettingError(
            "--auth",
            settings.auth.value,
            f"would let anyone who reaches {settings.listen} run code on this machine",
            "Use --auth signed, or listen on loopback: --listen 127.0.0.1:9000.",
        )


def _refuse_network_of_containers(settings: "Settings") -> None:
    wants_more = settings.network is NetworkChoice.EGRESS or bool(settings.subnet_route)
    if settings.sandbox is SandboxChoice.OCI and wants_more:
        raise SettingError(
            "--sandbox",
            settings.sandbox.value,
            "gives functions no network beyond this server, which --network egress and --subnet-route ask for",
            "Use --sandbox namespace.",
        )


def _refuse_half_of_tls(settings: "Settings") -> None:
    given = {"--tls-certificate": settings.tls_certificate, "--tls-key": settings.tls_key}
    for name, other in (("--tls-certificate", "--tls-key"), ("--tls-key", "--tls-certificate")):
        if given[name] is not None and given[other] is None:
            raise SettingError(name, str(given[name]), f"is of no use without {other}", "Give both, or neither.")


def _refuse_master_key_among_data(settings: "Settings") -> None:
    if isinstance(settings.master_key, KmsKey):
        if settings.given_master_key is not None:
            fix = f"Leave {VARIABLE} out, or --master-key."
            raise SettingError("--master-key", str(settings.master_key), f"can't be together with {VARIABLE}", fix)
        return
    if settings.master_key_file.resolve().is_relative_to(settings.data.resolve()):
        raise SettingError(
            "--master-key",
            str(settings.master_key_file),
            "would lie beside what it protects",
            f"Name a file outside of the data directory {settings.data}.",
        )


def _refuse_segment_over_group(settings: "Settings") -> None:
    if settings.log_segment_bytes > settings.log_group_bytes:
        raise SettingError(
            "--log-segment-bytes",
            str(settings.log_segment_bytes),
            f"is more than a whole log may take ({settings.log_group_bytes} bytes)",
            "Give a smaller segment or a larger --log-group-bytes.",
        )
