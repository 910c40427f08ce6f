"""Rooms, displays and license servers for tests with real RDP clients and hosts; why they are skipped where they are."""

import shutil

import pytest

from tests.support.licensing_room import office
from tests.support.room import room, why_no_room
from tests.support.x_display import display

PROGRAMS = {
    "xrdp": "xrdp",
    "xrdp-sesman": "xrdp",
    "xfreerdp": "freerdp2-x11",
    "freerdp-shadow-cli": "freerdp2-shadow-x11",
    "winpr-hash": "winpr-utils",
    "rdesktop": "rdesktop",
    "faketime": "faketime",
    "Xvfb": "xvfb",
    "jwm": "jwm",
    "xmessage": "x11-utils",
    "import": "imagemagick",
    "openssl": "openssl",
}


def _why_not() -> str | None:
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    return f"not installed: {', '.join(sorted(missing))}" if missing else why_no_room()


WHY_NOT = _why_not()


def pytest_collection_modifyitems(items):
    """All of these one after another: they share two cores with each other's X servers."""
    for item in items:
        if "/e2e/rdp/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("rdp"))
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.rdp)
            item.add_marker(pytest.mark.timeout(90))
            item.add_marker(pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """For the files of a module's room; users of the room may pass through."""
    found = tmp_path_factory.mktemp("rdp")
    found.chmod(0o755)
    return found


@pytest.fixture(scope="module")
def machine(folder):
    """A room with users."""
    with room(folder) as made:
        for user in ("alice", "bob", "carol"):
            made.add_user(user)
        yield made


@pytest.fixture(scope="module")
def screen(machine):
    """The display that clients open their windows on."""
    found = display(machine)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def licensing(machine, folder):
    """A license server that refuses users without a CAL."""
    with office(machine, folder / "data") as running:
        running.set(per_user="enforce")
        yield running
