"""Kernel modules are loaded after what they need."""

from tests.guest.modules import dependencies, load_order

NEEDS = {"fs_9p": ["9pnet", "netfs"], "netfs": ["fscache"], "fscache": ["netlib"], "9pnet": [], "overlay": []}


def test_what_a_module_needs_is_read_from_it():
    assert dependencies(b"\x7fELF..\0license=GPL\0depends=9pnet,netfs\0name=9p\0") == ("9pnet", "netfs")
    assert dependencies(b"\x7fELF..\0depends=\0name=9pnet\0") == ()
    assert dependencies(b"\x7fELF..\0softdepends=x\0") == ()


def test_what_is_needed_comes_first_and_once():
    order = load_order(["fs-9p", "overlay", "9pnet"], {"netlib"}, lambda name: NEEDS[name])
    assert order == ["9pnet", "fscache", "netfs", "fs_9p", "overlay"]


def test_what_the_kernel_has_built_in_is_not_loaded():
    assert load_order(["overlay"], {"overlay"}, lambda name: NEEDS[name]) == []
