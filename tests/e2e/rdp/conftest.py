"""Rooms, displays and license servers for tests with real RDP clients and hosts; why they are skipped where they are."""

import shutil

import pytest

from tests.support.agent_room import HOST
from tests.support.licensing_room import office
from tests.support.room import room, why_no_room
from tests.support.running_server import CALWARD
from tests.support.x_display import display
from tests.support.xrdp_host import xrdp_host

PROGRAMS = {
    "xrdp": "xrdp",
    "xrdp-sesman": "xrdp",
    "xfreerdp": "freerdp2-x11",
    "freerdp-shadow-cli": "freerdp2-shadow-x11",
    "winpr-hash": "winpr-utils",
    "rdesktop": "rdesktop",
    "cc": "gcc",
    "Xvfb": "xvfb",
    "jwm": "jwm",
    "xmessage": "x11-utils",
    "xterm": "xterm",
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Show what the room's programs have logged where a test fails: the room itself is gone then."""
    report = yield
    if report.failed:
        for name, where in (("machine", "system log"), ("session_host", "logs of xrdp and sesman")):
            if name in item.funcargs:
                report.sections.append((where, item.funcargs[name].log[-8000:]))
    return report


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """For the files of the room; users of the room may pass through."""
    found = tmp_path_factory.mktemp("rdp")
    found.chmod(0o755)
    return found


@pytest.fixture(scope="session")
def machine(shared):
    """A room with users."""
    with room(shared) as made:
        for user in ("alice", "bob", "carol", "dave"):
            made.add_user(user)
        yield made


@pytest.fixture(scope="session")
def screen(machine):
    """The display that clients open their windows on."""
    found = display(machine)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def session_host(machine):
    """An unmodified xrdp; its PAM service asks for licenses, as ``calward agent install-pam`` sets it up."""
    machine.done(CALWARD, "agent", "install-pam", "--yes")
    with xrdp_host(machine, port=HOST) as running:
        yield running


@pytest.fixture(scope="module")
def xrdp(session_host):
    """The same without sessions of an earlier module."""
    yield session_host
    session_host.end_sessions()


@pytest.fixture(scope="module")
def folder(shared, request):
    """For what a module's license server and clients keep."""
    found = shared / request.module.__name__.rpartition(".")[2]
    found.mkdir()
    return found


@pytest.fixture(scope="module")
def licensing(machine, folder):
    """A license server without CALs that refuses users who have none."""
    with office(machine, folder / "office") as running:
        running.set(per_user="enforce")
        yield running
