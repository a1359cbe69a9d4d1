"""For drivers without a file system of their own: where paths inside the sandbox really are. Pure."""

from collections.abc import Iterable, Mapping

from lampion.sandbox.spec import Mount


def relocate_path(text: str, mounts: Iterable[Mount]) -> str:
    """`text` with the longest mount target that it begins with replaced by that mount's source."""
    best: Mount | None = None
    for mount in mounts:
        target = mount.target.rstrip("/")
        if (text == target or text.startswith(f"{target}/")) and (best is None or len(target) > len(best.target)):
            best = mount
    return text if best is None else str(best.source) + text[len(best.target.rstrip("/")) :]


def relocate_environ(environ: Mapping[str, str], mounts: tuple[Mount, ...]) -> dict[str, str]:
    """Each value may be a list of paths separated by colons, such as PATH."""
    return {name: ":".join(relocate_path(part, mounts) for part in value.split(":")) for name, value in environ.items()}
