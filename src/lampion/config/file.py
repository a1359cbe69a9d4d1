"""The configuration file: settings by name, a table per AWS service, and one per file system; TOML."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_SERVICES: Final = "services"
_FILE_SYSTEMS: Final = "file_systems"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says: settings as the texts that an option would take, services and file systems as they stand."""

    texts: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict, repr=False)
    file_systems: Mapping[str, Any] = field(default_factory=dict)


def read_config_file(path: Path, names: frozenset[str], switches: frozenset[str] = frozenset()) -> ConfigFile:
    """The file at `path`, which may set `names`, of which `switches` also by true and false.

    Raises ValueError: "what is wrong; how to mend it.".
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"can't be read ({error.strerror}); Give the path of a TOML file.") from None
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8; Give the path of a TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not TOML ({error}); Mend it there.") from None
    services = document.pop(_SERVICES, {})
    if not isinstance(services, dict):
        raise ValueError('has services that are no table; Write [services.sqs], and below it endpoint = "...".')
    for name in document.keys() & switches:
        if isinstance(document[name], bool):
            document[name] = "yes" if document[name] else "no"
    file_systems = document.pop(_FILE_SYSTEMS, {})
    if not isinstance(file_systems, dict):
        raise ValueError(
            'has file_systems that are no table; Write [file_systems."ARN"], and below it directory = "...".'
        )
    texts = {name: _text(name, value, names) for name, value in document.items()}
    return ConfigFile(texts, services, file_systems)


def _text(name: str, value: Any, names: frozenset[str]) -> str:
    if name not in names:
        raise ValueError(f"sets {name!r}, which is no setting; See docs/reference/settings.md for those there are.")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ValueError(f"has a value of the wrong kind for {name!r}; Give a text, a whole number, or a list of texts.")
