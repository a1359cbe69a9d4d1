"""The guest's first file tree holds what the script `init` uses."""

from pathlib import Path

import pytest

from tests.guest.kernel import MODULES, Kernel, NoKernel, first_tree

NEEDS = {"virtio_pci": "virtio", "virtio": "", "9pnet_virtio": "9pnet,virtio", "9pnet": "", "9p": "9pnet", "erofs": ""}


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """One that has `overlay` built in."""
    modules = tmp_path / "lib/modules/6"
    modules.mkdir(parents=True)
    (modules / "modules.builtin").write_text("kernel/fs/overlayfs/overlay.ko\n")
    for name, needs in NEEDS.items():
        (modules / f"{name.replace('_', '-')}.ko").write_bytes(f"code of {name}\0depends={needs}\0".encode())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/busybox").write_bytes(b"all tools")
    return Kernel("6", tmp_path / "boot/vmlinuz-6", modules)


def test_modules_shell_and_script_are_in_it(kernel, tmp_path):
    tree = first_tree(kernel, cache=tmp_path)
    assert b"virtio\nvirtio_pci\n9pnet\n9pnet_virtio\n9p\n" in tree
    for part in (b"modules/9p.ko\0", b"code of 9pnet_virtio", b"all tools", b"exec switch_root"):
        assert part in tree
    assert b"code of erofs" not in tree


def test_more_modules_may_be_asked_for_if_the_kernel_has_them(kernel, tmp_path):
    assert b"code of erofs" in first_tree(kernel, ["erofs"], tmp_path)
    with pytest.raises(NoKernel, match="no module nosuch"):
        first_tree(kernel, ["nosuch"], tmp_path)


def test_what_the_guest_needs_to_see_the_host_is_always_loaded():
    assert {"9p", "9pnet_virtio", "overlay"} <= set(MODULES)
