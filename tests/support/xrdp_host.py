"""An unmodified xrdp of the distribution in a room: sesman, PAM, users and a desktop that is easy to recognize.

xrdp 0.9 has its paths built in (``/run/xrdp``, ``/etc/xrdp``, service ``xrdp-sesman``): inside a room they are free.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.room import Program, Room, until

DESKTOP = "2f6f5e"
LOGIN = "7a3f8f"

XRDP_INI = """\
[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:{port}
security_layer=rdp
crypt_level=none
allow_channels=true
bitmap_cache=true
bitmap_compression=true
max_bpp=32
new_cursors=true
use_fastpath=both
ls_top_window_bg_color={login}
ls_width=350
ls_height=430
ls_bg_color=dedede
ls_logo_x_pos=55
ls_logo_y_pos=50
ls_label_x_pos=30
ls_label_width=65
ls_input_x_pos=110
ls_input_width=210
ls_input_y_pos=220
ls_btn_ok_x_pos=142
ls_btn_ok_y_pos=370
ls_btn_ok_width=85
ls_btn_ok_height=30
ls_btn_cancel_x_pos=237
ls_btn_cancel_y_pos=370
ls_btn_cancel_width=85
ls_btn_cancel_height=30
{more_globals}
[Logging]
LogFile=/run/log/xrdp.log
LogLevel=DEBUG
EnableSyslog=false
[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
{more_xorg}
"""

SESMAN_INI = """\
[Globals]
ListenAddress=127.0.0.1
ListenPort=3350
EnableUserWindowManager=false
DefaultWindowManager=/run/session/start
ReconnectScript=/bin/true
[Security]
AllowRootLogin=true
MaxLoginRetry=4
[Sessions]
X11DisplayOffset=60
MaxSessions=50
KillDisconnected=false
Policy=Default
[Logging]
LogFile=/run/log/sesman.log
LogLevel=DEBUG
EnableSyslog=false
[Xorg]
param=/usr/lib/xorg/Xorg
param=-config
param=xrdp/xorg.conf
param=-noreset
param=-nolisten
param=tcp
param=-logfile
param=/dev/null
[Chansrv]
FuseMountName=thinclient_drives
[SessionVariables]
"""

SESSION = """\
#!/bin/sh
xmessage -geometry +60+60 "Session of $(id -un) on display $DISPLAY" &
exec jwm -f /run/session/jwmrc
"""

JWM = """\
<?xml version="1.0"?>
<JWM>
  <Tray x="0" y="-1" height="32"><TrayButton label="Calward">root:1</TrayButton><TaskList/><Clock format="%H:%M"/></Tray>
  <RootMenu onroot="3"><Exit label="Log out" confirm="false"/></RootMenu>
  <Desktops width="1" height="1"><Background type="solid">#{color}</Background></Desktops>
</JWM>
"""

READABLE_REFUSAL = {
    "more_globals": "pamerrortxt=No Remote Desktop license (CAL) is available. Call the help desk: 1234",
    "more_xorg": "pamusername=same\npampassword=same\npamsessionmng=127.0.0.1",
}
"""What makes 0.9 say why, without another line changed: docs/howto/xrdp-per-user.md."""


class XrdpHost:
    """A running one."""

    def __init__(self, room: Room, port: int):
        self.room = room
        self.port = port
        self.programs: list[Program] = []

    @property
    def log(self) -> str:
        """What xrdp and sesman have written."""
        return "".join(
            self.room.path(f"/run/log/{name}.log").read_text(errors="replace") for name in ("xrdp", "sesman")
        )

    def expects(self, words: str) -> Callable[[], None]:
        """Give what waits until the log has these words once more than now."""
        before = self.log.count(words)

        def heard() -> None:
            until(lambda: self.log.count(words) > before, what=lambda: f"{words!r} in\n{self.log}")

        return heard

    def sessions(self, user: str) -> list[int]:
        """The window managers of a user: one a session."""
        found = self.room.run("pgrep", "-u", user, "-x", "jwm").stdout.split()
        return [int(pid) for pid in found]

    def log_out(self, user: str) -> None:
        """End the user's window manager, which is how sessions end, and wait for sesman to notice."""
        noticed = self.expects(f"++ terminated session:  username {user}")
        self.room.done("pkill", "-u", user, "-x", "jwm")
        until(lambda: not self.sessions(user), what=f"the end of {user}'s session")
        noticed()

    def end_sessions(self) -> None:
        """End everybody's; X servers take their locks in /tmp away only if they may end by themselves."""
        self.room.run("pkill", "-x", "jwm")
        until(lambda: self.room.run("pgrep", "-x", "Xorg").returncode, what="the end of all sessions")


def prepare(room: Room, port: int) -> None:
    """Write what xrdp reads, as docs/howto/xrdp-per-device.md and docs/howto/xrdp-per-user.md have it."""
    settings = {"port": port, "login": LOGIN, **READABLE_REFUSAL}
    room.done("sh", "/usr/share/xrdp/socksetup")
    room.done("install", "-d", "-m", "777", "/run/log", "/run/session")
    room.path("/etc/xrdp/xrdp.ini").write_text(XRDP_INI.format(**settings))
    room.path("/etc/xrdp/sesman.ini").write_text(SESMAN_INI)
    start = room.path("/run/session/start")
    start.write_text(SESSION)
    start.chmod(0o755)
    room.path("/run/session/jwmrc").write_text(JWM.format(color=DESKTOP))


@contextmanager
def xrdp_host(room: Room, *, port: int) -> Iterator[XrdpHost]:
    """Start sesman as root and xrdp as its own user, for a relay on this machine; both are ended."""
    prepare(room, port)
    host = XrdpHost(room, port)
    host.programs.append(room.start("xrdp-sesman", "-n", name="sesman"))
    host.programs.append(room.start("xrdp", "-n", name="xrdp", user="xrdp"))
    until(lambda: listening(room, port) and listening(room, 3350), what=lambda: f"xrdp: {host.log}")
    try:
        yield host
    finally:
        host.end_sessions()
        for program in reversed(host.programs):
            program.stop()


def listening(room: Room, port: int) -> bool:
    """Whether somebody in the room listens on a port."""
    rows = [
        line.split()
        for family in ("tcp", "tcp6")
        for line in room.path(f"/proc/1/net/{family}").read_text().splitlines()
    ]
    return any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows if ":" in row[1])
